"""Chat as a process of its own: PostgreSQL and NATS."""

import os
from contextlib import AsyncExitStack

from sidetone.bus.nats import NatsBus
from sidetone.chat.app import Policy, build
from sidetone.chat.settings import Settings
from sidetone.credentials.limits import Limit
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.deployment import serve
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.storage.postgres import PostgresDatabase


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_CHAT", os.environ)
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    identity = settings.identity(clock.now_ms())
    policy = Policy(Limit(settings.invites_per_address_per_minute, 60_000))
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        bus = await NatsBus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)
        chat = await build(database, bus, clock, policy)
        await serve(chat, settings, identity, database=database, bus=bus, clock=clock)


if __name__ == "__main__":
    run(main)
