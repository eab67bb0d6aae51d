"""What every HTTP service that runs as a process of its own has in common.

This module opens the real engines for all of them: PostgreSQL, Valkey and NATS.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple, Protocol, TypeAlias

import msgspec
import structlog
from litestar import Router
from litestar.types import ASGIApp

from sidetone.bus.access import Access
from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.nats import NatsBus
from sidetone.bus.tasks import Tasks
from sidetone.credentials.tokens import TokenPolicy
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime import logs
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.entrance import Entrance
from sidetone.runtime.http import app_of
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.http_probes import Check
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import Upgrades, require_tls_or_loopback, serving
from sidetone.runtime.start import settle_memory, stop_requests
from sidetone.runtime.surroundings import Surroundings
from sidetone.runtime.tls import Identity
from sidetone.runtime.traces import sent_to
from sidetone.storage import EngineAway
from sidetone.storage.postgres import PostgresDatabase
from sidetone.storage.valkey import ValkeyKeyValue
from sidetone.telemetry.metrics import tell_build

Port: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Days: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=36_500)]
Build: TypeAlias = Callable[[Surroundings], Awaitable[Router]]

_SECOND_MS = 1_000
_AGAIN_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a service on PostgreSQL, Valkey and NATS.

    *nats_credentials* and *nats_ca* are files that ``sidetone admin nats-config`` writes: who the
    service is on NATS, and who vouches for the server. Without *tls_folder* it speaks plain HTTP,
    on loopback only. *issuer* and *audience* are those of the auth service, whose tokens are
    taken. The limits are those of one process; a burst of twice as many is let through. A process
    that is told to stop says for *leave_seconds* that it is not ready and goes on answering, so
    that no load balancer finds the port closed. *traces_endpoint* takes OTLP over HTTP, as in
    ``http://collector:4318/v1/traces``; without it nothing is traced.
    """

    database_url: str
    valkey_url: str = "valkey://127.0.0.1:6379/0"
    nats_url: str = "nats://127.0.0.1:4222"
    nats_credentials: Path | None = None
    nats_ca: Path | None = None
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
    leave_seconds: Annotated[float, msgspec.Meta(ge=0, le=5)] = 1.0
    traces_endpoint: str = ""

    def require_sound(self) -> None:
        """Raise ``StartError`` where the settings do not go together."""
        require_tls_or_loopback(self.host, has_tls=self.tls_folder is not None)

    def nats(self) -> Access:
        """Return how the service connects to NATS."""
        return Access(self.nats_credentials, self.nats_ca)

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


class Door(Upgrades, Protocol):
    """Sockets that are let in only when nothing that happens is missed any more."""

    async def require_open(self) -> None:
        """Raise ``Unavailable`` where nobody is let in yet."""
        ...


class Served(NamedTuple):
    """What a process serves: an application, and what its sockets come in by."""

    app: ASGIApp
    door: Upgrades | None = None


# The stack takes what has to be closed with the engines.
Make: TypeAlias = Callable[[Surroundings, AsyncExitStack], Awaitable[Served]]


async def run_service(settings: HttpSettings, build: Build) -> None:
    """Serve the routes that *build* returns until the process is told to stop."""

    async def make(around: Surroundings, _: AsyncExitStack) -> Served:
        return served(settings, around, [await build(around)])

    await run_process(settings, make)


def served(
    settings: HttpSettings,
    around: Surroundings,
    routers: Sequence[Router],
    door: Door | None = None,
) -> Served:
    """Return what serves *routers* and *door* with the manners of every service."""
    ready = [*checks(around), *([door.require_open] if door else [])]
    app = app_of(routers, around=around, policy=settings.http(), ready=ready)
    return Served(app, door)


async def run_process(
    settings: HttpSettings, make: Make, *, sockets: bool = False, program: str = ""
) -> None:
    """Serve what *make* returns until the process is told to stop.

    The port is open from the start; while an engine is away ``/readyz`` says which, and *make* is
    called again. At the end ``/readyz`` says that we leave, a while before we do. Only with
    *sockets* are there any. Metrics name the service, or the *program* where it is a part of one.
    """
    logs.configure(settings.log_form, settings.log_level)
    clock = SystemClock()
    identity = settings.identity(clock.now_ms())
    entrance = Entrance()
    async with AsyncExitStack() as engines:
        engines.enter_context(_told(settings, program))
        stop = engines.enter_context(stop_requests())
        async with serving(
            entrance.answer,
            settings.host,
            settings.port,
            clock=clock,
            identity=identity,
            trusted_proxies=settings.trusted_proxies,
            upgrades=entrance if sockets else None,
        ) as port:
            where = {"host": settings.host, "port": port}
            opening = asyncio.create_task(_open(entrance, settings, make, where))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait([opening, stopping], return_when=asyncio.FIRST_COMPLETED)
            if opening.done():
                engines.push_async_exit(opening.result())
                settle_memory()
                _log.info("serving", **where)
                await stopping
            opening.cancel()
            _log.info("stopping")
            entrance.leave()
            await asyncio.sleep(settings.leave_seconds if opening.done() else 0)


@contextmanager
def _told(settings: HttpSettings, program: str) -> Generator[None]:
    """Tell metrics what this process is, and send its traces while the block runs."""
    service = type(settings).__module__.split(".")[1]
    tell_build(program or service, service)
    with sent_to(settings.traces_endpoint, service):
        yield


async def _open(
    entrance: Entrance, settings: HttpSettings, make: Make, where: Mapping[str, object]
) -> AsyncExitStack:
    """Open *entrance* as soon as the engines are there; return what closes them.

    Raises ``StorageError`` for what does not pass by itself.
    """
    while True:
        async with AsyncExitStack() as engines:
            try:
                around = await engines.enter_async_context(surroundings(settings, SystemClock()))
                made = await make(around, engines)
            except (EngineAway, Unavailable) as error:
                reason = error.detail if isinstance(error, Unavailable) else str(error)
                if reason != entrance.missing:
                    _log.warning("waiting", reason=reason, **where)
                entrance.missing = reason
            else:
                entrance.open(*made)
                return engines.pop_all()
        await asyncio.sleep(_AGAIN_SECONDS)


@asynccontextmanager
async def surroundings(settings: HttpSettings, clock: SystemClock) -> AsyncGenerator[Surroundings]:
    """Open the engines that *settings* name, and close them when the block ends."""
    async with AsyncExitStack() as stack:
        database = await PostgresDatabase.open(settings.database_url)
        stack.push_async_callback(database.close)
        store = await ValkeyKeyValue.open(settings.valkey_url)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(settings.nats_url, access=settings.nats())
        stack.push_async_callback(bus.close)
        journal = await NatsJournal.connect(settings.nats_url, settings.nats())
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
