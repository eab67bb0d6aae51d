"""Voice as a process of its own: PostgreSQL, Valkey and NATS."""

import os

from litestar import Router

from sidetone.runtime.deployment import run_service
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.surroundings import Surroundings
from sidetone.voice.app import Policy, build
from sidetone.voice.domain.fleet import SETTLE_MS
from sidetone.voice.settings import Settings

_MINUTE_MS = 60_000


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_VOICE", os.environ)
    policy = Policy(
        calls=Limit(settings.calls_per_minute, _MINUTE_MS),
        moves=Limit(settings.moves_per_minute, _MINUTE_MS),
        settle_ms=SETTLE_MS,
    )

    async def built(around: Surroundings) -> Router:
        return await build(around, policy)

    await run_service(settings, built)


if __name__ == "__main__":
    run(main)
