"""How a process serves: bind, speak TLS, stop cleanly.

Plain HTTP exists on the loopback interface only. Requests are not logged; counting them is the
business of the metrics.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
from ipaddress import ip_address
from typing import Any, Protocol, cast

import structlog
import uvicorn
from litestar.types import ASGIApp
from typing_extensions import override
from uvicorn.server import ServerState

from sidetone.runtime import start
from sidetone.runtime.clock import Clock
from sidetone.runtime.http_writes import GatheringHttp
from sidetone.runtime.metrics import watch_loop
from sidetone.runtime.start import StartError
from sidetone.runtime.tls import Identity
from sidetone.storage import StorageError

_KEEP_ALIVE_SECONDS = 75
_DRAIN_SECONDS = 7
_GOODBYE_SECONDS = 0.2
_CONNECTIONS_MAX = 4096
_IDENTITY_REFRESHED_EVERY_SECONDS = 60.0
_log = structlog.get_logger(__name__)


class Upgrades(Protocol):
    """What takes over the connections that ask for a WebSocket: a protocol for each of them."""

    def __call__(
        self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> asyncio.Protocol:
        """Return the protocol of one connection; it gets the request as bytes first."""
        ...

    async def close(self) -> None:
        """Say goodbye to all, and take no more."""
        ...


@contextlib.asynccontextmanager
async def serving(  # noqa: PLR0913  # each is named by the caller, and most have a default
    app: ASGIApp,
    host: str,
    port: int,
    *,
    clock: Clock,
    identity: Identity | None = None,
    trusted_proxies: Sequence[str] = (),
    upgrades: Upgrades | None = None,
) -> AsyncGenerator[int]:
    """Serve *app* while the block runs, and yield the port; 0 takes a free one.

    WebSockets are the business of *upgrades*, which is closed in the end; without it there are
    none.

    With *identity* it speaks TLS and the certificate rotates while it runs. The address that a
    proxy reports for a client is believed from *trusted_proxies* only. Leaving the block stops
    accepting at once and gives open requests 7 seconds. Raises ``StartError``.
    """
    require_tls_or_loopback(host, has_tls=identity is not None)
    listener = _listen(host, port)
    server = _Server(_config(app, identity, trusted_proxies, upgrades), upgrades)
    tasks = [asyncio.create_task(server.serve([listener]), name="serve")]
    tasks.append(asyncio.create_task(watch_loop(), name="watch"))
    if identity is not None:
        tasks.append(asyncio.create_task(_keep_fresh(identity, clock), name="rotate"))
    try:
        await server.wait_until_up(tasks[0])
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        for beside in tasks[1:]:
            beside.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        listener.close()


async def stop_requested() -> None:
    """Return when the process is told to stop: SIGTERM, or SIGINT from the keyboard."""
    with start.stop_requests() as asked:
        await asked.wait()


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run *main* on the fastest loop; a database that cannot be opened is one line as well."""

    async def guarded() -> None:
        try:
            await main()
        except StorageError as error:
            raise StartError(str(error)) from error

    start.run(guarded, _new_loop())


def require_tls_or_loopback(host: str, *, has_tls: bool) -> None:
    """Raise ``StartError`` where plain HTTP would leave this machine."""
    if not has_tls and not _is_loopback(host):
        raise StartError(
            f"plain HTTP is for this machine only, and {host} is not loopback; "
            "bind to 127.0.0.1 or configure TLS"
        )


class _Server(uvicorn.Server):
    """Uvicorn, but signals belong to the process and being up can be awaited."""

    def __init__(self, config: uvicorn.Config, upgrades: Upgrades | None) -> None:
        super().__init__(config)
        self._upgrades = upgrades
        self._up = asyncio.Event()

    async def wait_until_up(self, serving: asyncio.Task[None]) -> None:
        """Wait for the first connection to be possible. Raises what *serving* died of."""
        up = asyncio.create_task(self._up.wait())
        await asyncio.wait([up, serving], return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if serving.done():
            serving.result()

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up.set()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        draining = asyncio.create_task(super().shutdown(sockets))
        if self._upgrades is not None:
            await self._upgrades.close()
        while not draining.done():
            await asyncio.wait([draining], timeout=_GOODBYE_SECONDS)
            # An idle TLS client may never answer the goodbye of its closed connection.
            for connection in list(self.server_state.connections):
                if connection.transport.is_closing():
                    connection.transport.abort()
        await draining

    @contextlib.contextmanager
    @override
    def capture_signals(self) -> Generator[None]:
        yield


def _config(
    app: ASGIApp,
    identity: Identity | None,
    trusted_proxies: Sequence[str],
    upgrades: Upgrades | None,
) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        interface="asgi3",
        loop="none",
        http=GatheringHttp,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
        limit_concurrency=_CONNECTIONS_MAX,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        ssl_context_factory=None if identity is None else lambda _, __: identity.ssl_context(),
    )
    config.load()
    # Uvicorn's own type wants a class; it calls what it has been given, with these three names.
    config.ws_protocol_class = cast("type[asyncio.Protocol] | None", upgrades)
    return config


async def _keep_fresh(identity: Identity, clock: Clock) -> None:
    while True:
        await asyncio.sleep(_IDENTITY_REFRESHED_EVERY_SECONDS)
        try:
            if identity.refresh(clock.now_ms()):
                _log.info("certificate_rotated")
        except Exception:
            # The old certificate is good for days; a full disk may be cured by then.
            _log.exception("certificate_not_rotated")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        dual = family == socket.AF_INET6 and host == "::" and socket.has_dualstack_ipv6()
        listener = socket.create_server(address, family=family, dualstack_ipv6=dual, backlog=2048)
    except OSError as error:
        raise StartError(
            f"port {port} on {host} cannot be served: {error.strerror}; "
            "stop the program that holds it or choose another port"
        ) from None
    # Accepted sockets inherit it. uvloop sets it by itself; plain asyncio answers 40 ms late.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.setblocking(False)  # noqa: FBT003  # the standard library's own signature
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _new_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415  # it does not exist on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
