"""Integrations as a process of its own: PostgreSQL, NATS, Valkey."""

import os
from contextlib import AsyncExitStack

from sidetone.bus.access import Access
from sidetone.bus.events_stream import NatsEvents
from sidetone.integrations.app import build
from sidetone.integrations.settings import Settings
from sidetone.runtime.deployment import Served, run_process, served
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.runtime.surroundings import Surroundings


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_INTEGRATIONS", os.environ)
    credentials = settings.events_credentials or settings.nats_credentials

    async def make(around: Surroundings, closing: AsyncExitStack) -> Served:
        access = Access(credentials, settings.nats_ca)
        events = await NatsEvents.connect(settings.nats_url, access)
        closing.push_async_callback(events.close)
        return served(settings, around, [await build(around, stream=events)])

    await run_process(settings, make)


if __name__ == "__main__":
    run(main)
