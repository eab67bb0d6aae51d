"""Auth as a process of its own: PostgreSQL and NATS."""

import os
from contextlib import AsyncExitStack

from sidetone.auth.app import Policy, build
from sidetone.auth.settings import Settings
from sidetone.bus.nats import NatsBus
from sidetone.credentials.limits import Limit
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.deployment import serve
from sidetone.runtime.process import run
from sidetone.runtime.settings import load
from sidetone.storage.postgres import PostgresDatabase

_MINUTE_MS = 60_000


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_AUTH", os.environ)
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    identity = settings.identity(clock.now_ms())
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        bus = await NatsBus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)
        auth = await build(database, bus, clock, _policy(settings))
        await serve(auth, settings, identity, database=database, bus=bus, clock=clock)


def _policy(settings: Settings) -> Policy:
    return Policy(
        token=settings.tokens(),
        login_per_account=Limit(settings.logins_per_account_per_minute, _MINUTE_MS),
        login_per_address=Limit(settings.logins_per_address_per_minute, _MINUTE_MS),
        register_per_address=Limit(settings.registrations_per_address_per_minute, _MINUTE_MS),
    )


if __name__ == "__main__":
    run(main)
