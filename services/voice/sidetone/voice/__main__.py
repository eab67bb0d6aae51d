"""Voice as a process of its own: PostgreSQL, Valkey and NATS."""

import os
from contextlib import AsyncExitStack

from sidetone.bus.nats import NatsBus
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.deployment import serve
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.storage.postgres import PostgresDatabase
from sidetone.storage.valkey import ValkeyKeyValue
from sidetone.voice.app import build
from sidetone.voice.settings import Settings


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_VOICE", os.environ)
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    identity = settings.identity(clock.now_ms())
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        store = await ValkeyKeyValue.open(settings.valkey_url)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)
        voice = await build(database, store, bus, clock)
        await serve(voice, settings, identity, database=database, bus=bus, clock=clock)


if __name__ == "__main__":
    run(main)
