"""The client as a page in a browser of this machine: for its own user, and nobody else.

Keys and microphone live in this process, so whoever can open the page is its user. It listens on
the loopback alone, and what admits is a token that works once: it comes in the address that is
opened, and is exchanged for a cookie that scripts cannot read. Requests whose Host or Origin is
another page's are refused, so that no web site can reach in by a name that resolves to this
machine.
"""

import asyncio
import secrets
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import parse_qs

import uvicorn
from typing_extensions import override

from sidetone.desktop.infrastructure.asgi import Asgi, Scope, answer, refuse
from sidetone.desktop.infrastructure.importing import imported
from sidetone.desktop.infrastructure.page_files import PageFiles, flet_files
from sidetone.desktop.infrastructure.page_uploads import PREFIX as UPLOADS
from sidetone.desktop.infrastructure.page_uploads import PageUploads

if TYPE_CHECKING:
    import flet as ft

_TOKEN_BYTES: Final = 32
# A page whose browser went away can come back to where it was for so long.
_SESSION_SECONDS: Final = 300
_STOP_SECONDS: Final = 2

Main: TypeAlias = "Callable[[ft.Page], Coroutine[Any, Any, None]]"


class Gate:
    """Lets in who holds the token of an address that was opened, and who was let in before."""

    def __init__(self, app: Asgi, origin: str) -> None:
        self._app = app
        self._host = origin.removeprefix("http://")
        self._origin = origin
        # A browser sends a machine's cookies to all of its ports, so each names its own.
        self._cookie = f"sidetone-{origin.rpartition(':')[2]}"
        self._tokens: set[str] = set()
        self._session = secrets.token_urlsafe(_TOKEN_BYTES)

    def new_token(self) -> str:
        """Return a token that opens the page once."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tokens.add(token)
        return token

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI)
        """Pass a request on, exchange a token, or refuse."""
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if (
            headers.get("host") != self._host
            or headers.get("origin", self._origin) != self._origin
        ):
            await refuse(scope, send, "this page is not for other sites")
        elif self._knows(headers.get("cookie", "")):
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and self._takes(scope["query_string"].decode("latin-1")):
            cookie = f"{self._cookie}={self._session}; HttpOnly; SameSite=Strict; Path=/"
            where = scope["path"]
            await answer(
                send, 303, [(b"location", where.encode()), (b"set-cookie", cookie.encode())]
            )
        else:
            await refuse(
                scope, send, "this address works once: start the client again for a new one"
            )

    def _knows(self, cookies: str) -> bool:
        try:
            held = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return False
        return held is not None and secrets.compare_digest(held.value, self._session)

    def _takes(self, query: str) -> bool:
        token = parse_qs(query).get("token", [""])[0]
        if token not in self._tokens:
            return False
        self._tokens.discard(token)
        return True


class Windows:
    """What is behind the gate: files at once, windows as soon as what draws them is imported."""

    def __init__(self, main: Main, assets: Path, uploads: PageUploads) -> None:
        self._main = main
        self._uploads = uploads
        self._files = PageFiles([assets, flet_files()])
        # What draws takes a second to import; the browser loads its part meanwhile.
        self._importing = asyncio.create_task(_flet())

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI)
        """Answer with a file, take one, or be the window of one browser."""
        if scope["type"] == "http" and scope["path"].startswith(UPLOADS):
            await self._uploads(scope, receive, send)
        elif scope["type"] == "http":
            await self._files(scope, send)
        elif scope["type"] == "websocket":
            flet = await asyncio.shield(self._importing)
            window = flet.Window(
                loop=asyncio.get_running_loop(),
                executor=flet.app_manager.executor,
                main=self._main,
                before_main=None,
                session_timeout_seconds=_SESSION_SECONDS,
            )
            # It may be closed before it has begun.
            with suppress(flet.WebSocketDisconnect):
                await window.handle(flet.Socket(scope, receive, send))


async def _flet() -> Any:  # noqa: ANN401 (its type is not imported yet)
    flet: Any = await imported("sidetone.desktop.infrastructure.flet_socket")
    await flet.app_manager.start()
    return flet


@asynccontextmanager
async def serving(
    main: Main, assets: Path, uploads: PageUploads, port: int = 0
) -> AsyncGenerator[Callable[[str], str]]:
    """Serve the client while the block runs; gives what makes an address for a path, used once.

    *uploads* takes the files that windows send. Without the wanted *port* it is any free one.
    """
    with _listening(port) as listening:
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        gate = Gate(Windows(main, assets, uploads), origin)
        config = uvicorn.Config(
            gate,
            log_level="warning",
            access_log=False,
            ws="websockets-sansio",
            # Between two processes of one machine packing costs more than it saves.
            ws_per_message_deflate=False,
            lifespan="off",
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield lambda path: f"{origin}{path}?token={gate.new_token()}"
        finally:
            server.should_exit = True
            await asyncio.gather(running, return_exceptions=True)


def _listening(port: int) -> socket.socket:
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError:
        listening = socket.create_server(("127.0.0.1", 0))
    # Of two small messages the second would wait 40 ms for the first to be acknowledged.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take none."""
        yield
