"""Chat as a process of its own."""

import os
from functools import partial

from sidetone.chat.app import Policy, build
from sidetone.chat.settings import Settings
from sidetone.runtime.deployment import run_service
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import run
from sidetone.runtime.settings import load

_MINUTE_MS = 60_000


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_CHAT", os.environ)
    policy = Policy(Limit(settings.invites_per_address_per_minute, _MINUTE_MS))
    await run_service(settings, partial(build, policy=policy))


if __name__ == "__main__":
    run(main)
