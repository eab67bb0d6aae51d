"""Presence as a process of its own: PostgreSQL, Valkey and NATS."""

import os

from litestar import Router

from sidetone.presence.app import Policy, build
from sidetone.presence.settings import Settings
from sidetone.runtime.deployment import run_service
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.surroundings import Surroundings

_MINUTE_MS = 60_000


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_PRESENCE", os.environ)
    policy = Policy(
        relationship_changes=Limit(settings.relationship_changes_per_minute, _MINUTE_MS),
        presence_changes=Limit(settings.presence_changes_per_minute, _MINUTE_MS),
    )

    async def built(around: Surroundings) -> Router:
        return await build(around, policy)

    await run_service(settings, built)


if __name__ == "__main__":
    run(main)
