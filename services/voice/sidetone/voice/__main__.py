"""Voice as a process of its own: PostgreSQL, NATS and Valkey."""

import os
from contextlib import AsyncExitStack

import structlog

from sidetone.bus.nats import NatsBus
from sidetone.credentials.tokens import TokenPolicy
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.process import run, serving, stop_requested
from sidetone.runtime.settings import load
from sidetone.runtime.tls import Identity
from sidetone.storage.postgres import PostgresDatabase
from sidetone.storage.valkey import ValkeyKeyValue
from sidetone.voice.app import build
from sidetone.voice.settings import Settings

log = structlog.get_logger(__name__)


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_VOICE", os.environ)
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    tokens = TokenPolicy(settings.issuer, settings.audience)
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        store = await ValkeyKeyValue.open(settings.valkey_url)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)

        async def database_answers() -> None:
            await database.fetch("SELECT 1", {})

        voice = await build(database, store, bus, clock)
        identity = (
            Identity.open(settings.tls_folder, settings.tls_names, clock.now_ms())
            if settings.tls_folder
            else None
        )
        port = await stack.enter_async_context(
            serving(
                app_of([voice], bus=bus, clock=clock, tokens=tokens, ready=[database_answers]),
                settings.host,
                settings.port,
                clock=clock,
                identity=identity,
                trusted_proxies=settings.trusted_proxies,
            )
        )
        log.info("voice_started", host=settings.host, port=port)
        await stop_requested()
        log.info("voice_stopping")


if __name__ == "__main__":
    run(main)
