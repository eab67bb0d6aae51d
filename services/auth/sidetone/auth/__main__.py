"""Auth as a process of its own: PostgreSQL and NATS."""

import os
from contextlib import AsyncExitStack

import structlog

from sidetone.auth.app import Policy, build
from sidetone.auth.settings import Settings
from sidetone.bus.nats import NatsBus
from sidetone.credentials.limits import Limit
from sidetone.credentials.tokens import TokenPolicy
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.process import run, serving, stop_requested
from sidetone.runtime.settings import load
from sidetone.runtime.tls import Identity
from sidetone.storage.postgres import PostgresDatabase

_MINUTE_MS = 60_000
_log = structlog.get_logger(__name__)


async def main() -> None:
    """Run until told to stop."""
    settings = load(Settings, "SIDETONE_AUTH", os.environ)
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    policy = _policy(settings)
    identity = None
    if settings.tls_folder is not None:
        identity = Identity.open(settings.tls_folder, settings.tls_names, clock.now_ms())
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        bus = await NatsBus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)

        async def database_answers() -> None:
            await database.fetch("SELECT 1", {})

        auth = await build(database, bus, clock, policy)
        port = await stack.enter_async_context(
            serving(
                app_of(
                    [auth], bus=bus, clock=clock, tokens=policy.token, ready=[database_answers]
                ),
                settings.host,
                settings.port,
                clock=clock,
                identity=identity,
                trusted_proxies=settings.trusted_proxies,
            )
        )
        _log.info("serving", host=settings.host, port=port)
        await stop_requested()
        _log.info("stopping")


def _policy(settings: Settings) -> Policy:
    return Policy(
        token=TokenPolicy(settings.issuer, settings.audience),
        login_per_account=Limit(settings.logins_per_account_per_minute, _MINUTE_MS),
        login_per_address=Limit(settings.logins_per_address_per_minute, _MINUTE_MS),
        register_per_address=Limit(settings.registrations_per_address_per_minute, _MINUTE_MS),
    )


if __name__ == "__main__":
    run(main)
