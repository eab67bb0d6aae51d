"""Chat as a process of its own: PostgreSQL and NATS."""

import os
from contextlib import AsyncExitStack

import structlog

from sidetone.bus.nats import NatsBus
from sidetone.chat.app import Policy, build
from sidetone.chat.settings import Settings
from sidetone.credentials.limits import Limit
from sidetone.credentials.tokens import TokenPolicy
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.process import run, serving, stop_requested
from sidetone.runtime.settings import load
from sidetone.runtime.tls import Identity
from sidetone.storage.postgres import PostgresDatabase

log = structlog.get_logger(__name__)


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_CHAT", os.environ)
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    policy = Policy(Limit(settings.invites_per_address_per_minute, 60_000))
    tokens = TokenPolicy(settings.issuer, settings.audience)
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        bus = await NatsBus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)

        async def database_answers() -> None:
            await database.fetch("SELECT 1", {})

        chat = await build(database, bus, clock, policy)
        identity = (
            Identity.open(settings.tls_folder, settings.tls_names, clock.now_ms())
            if settings.tls_folder
            else None
        )
        port = await stack.enter_async_context(
            serving(
                app_of([chat], bus=bus, clock=clock, tokens=tokens, ready=[database_answers]),
                settings.host,
                settings.port,
                clock=clock,
                identity=identity,
                trusted_proxies=settings.trusted_proxies,
            )
        )
        log.info("chat_started", host=settings.host, port=port)
        await stop_requested()
        log.info("chat_stopping")


if __name__ == "__main__":
    run(main)
