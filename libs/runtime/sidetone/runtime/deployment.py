"""What every HTTP service that runs as a process of its own has in common.

This module opens the real engines for all of them: PostgreSQL, Valkey and NATS.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated, TypeAlias

import msgspec
import structlog
from litestar import Router

from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.nats import NatsBus
from sidetone.bus.tasks import Tasks
from sidetone.credentials.tokens import TokenPolicy
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.http_probes import Check
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import serving, stop_requested
from sidetone.runtime.start import settle_memory
from sidetone.runtime.surroundings import Surroundings
from sidetone.runtime.tls import Identity
from sidetone.storage.postgres import PostgresDatabase
from sidetone.storage.valkey import ValkeyKeyValue

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Build: TypeAlias = Callable[[Surroundings], Awaitable[Router]]

_SECOND_MS = 1_000
_log = structlog.get_logger(__name__)


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a service on PostgreSQL, Valkey and NATS.

    Without *tls_folder* it speaks plain HTTP, on loopback only. *issuer* and *audience* are those
    of the auth service, whose tokens are taken. The limits are those of one process; a burst of
    twice as many is let through.
    """

    database_url: str
    valkey_url: str = "valkey://127.0.0.1:6379/0"
    nats_url: str = "nats://127.0.0.1:4222"
    host: str = "127.0.0.1"
    port: Port
    tls_folder: Path | None = None
    tls_names: list[str] = []
    trusted_proxies: list[str] = []
    issuer: str = "sidetone"
    audience: str = "sidetone"
    requests_per_caller_per_second: Count = 50
    requests_per_address_per_second: Count = 20
    cors_origins: list[str] = []
    log_form: logs.Form = "json"
    log_level: logs.Level = "info"

    def tokens(self) -> TokenPolicy:
        """Return whose access tokens are taken."""
        return TokenPolicy(self.issuer, self.audience)

    def http(self) -> HttpPolicy:
        """Return what the HTTP layer is told."""
        return HttpPolicy(
            tokens=self.tokens(),
            per_caller=per_second(self.requests_per_caller_per_second),
            per_address=per_second(self.requests_per_address_per_second),
            cors_origins=self.cors_origins,
        )

    def identity(self, now_ms: int) -> Identity | None:
        """Return what the service proves itself with, None for plain HTTP. Raises `StartError`."""
        if self.tls_folder is None:
            return None
        return Identity.open(self.tls_folder, self.tls_names, now_ms)


def per_second(count: int) -> Limit:
    """Return a limit of *count* in a second that lets a burst of twice as many through."""
    return Limit(2 * count, 2 * _SECOND_MS)


async def run_service(settings: HttpSettings, build: Build) -> None:
    """Serve what *build* makes until the process is told to stop."""
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    identity = settings.identity(clock.now_ms())
    async with surroundings(settings, clock) as around:
        app = app_of(
            [await build(around)], around=around, policy=settings.http(), ready=checks(around)
        )
        async with serving(
            app,
            settings.host,
            settings.port,
            clock=clock,
            identity=identity,
            trusted_proxies=settings.trusted_proxies,
        ) as port:
            settle_memory()
            _log.info("serving", host=settings.host, port=port)
            await stop_requested()
            _log.info("stopping")


@asynccontextmanager
async def surroundings(settings: HttpSettings, clock: SystemClock) -> AsyncGenerator[Surroundings]:
    """Open the engines that *settings* name, and close them when the block ends."""
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        store = await ValkeyKeyValue.open(settings.valkey_url)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(settings.nats_url)
        stack.push_async_callback(bus.close)
        journal = await NatsJournal.connect(settings.nats_url)
        stack.push_async_callback(journal.close)
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        yield Surroundings(database, store, bus, journal, clock, tasks)


def checks(around: Surroundings) -> Sequence[Check]:
    """Return what raises while an engine that every request needs is down.

    A bus that is away for a moment is no reason to send requests elsewhere: facts wait in the
    outbox, and questions are refused one by one.
    """

    async def database_answers() -> None:
        await around.database.fetch("SELECT 1", {})

    async def store_answers() -> None:
        await around.store.get("ready")

    return [database_answers, store_answers]
