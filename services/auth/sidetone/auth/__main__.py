"""Auth as a process of its own: PostgreSQL, Valkey and NATS."""

import os
from functools import partial

from sidetone.auth.app import build
from sidetone.auth.settings import Settings
from sidetone.runtime.deployment import run_service
from sidetone.runtime.process import run
from sidetone.runtime.settings import load


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_AUTH", os.environ)
    await run_service(settings, partial(build, policy=settings.policy()))


if __name__ == "__main__":
    run(main)
