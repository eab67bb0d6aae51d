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
from contextlib import asynccontextmanager, contextmanager
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import flet as ft
import uvicorn
from flet_web.fastapi import app as flet_app  # pyright: ignore[reportMissingTypeStubs]
from typing_extensions import override

_COOKIE: Final = "sidetone"
_TOKEN_BYTES: Final = 32
# A page whose browser went away can come back to where it was for so long.
_SESSION_SECONDS: Final = 300
_STOP_SECONDS: Final = 2

_Scope = dict[str, Any]
_Asgi = Callable[[_Scope, Any, Any], Coroutine[Any, Any, None]]
Main = Callable[[ft.Page], Coroutine[Any, Any, None]]


class Gate:
    """Lets in who holds the token of an address that was opened, and who was let in before."""

    def __init__(self, app: _Asgi, origin: str) -> None:
        self._app = app
        self._host = origin.removeprefix("http://")
        self._origin = origin
        self._tokens: set[str] = set()
        self._session = secrets.token_urlsafe(_TOKEN_BYTES)

    def new_token(self) -> str:
        """Return a token that opens the page once."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        self._tokens.add(token)
        return token

    async def __call__(self, scope: _Scope, receive: Any, send: Any) -> None:  # noqa: ANN401 (ASGI)
        """Pass a request on, exchange a token, or refuse."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        if (
            headers.get("host") != self._host
            or headers.get("origin", self._origin) != self._origin
        ):
            await _refuse(scope, send, "this page is not for other sites")
        elif self._knows(headers.get("cookie", "")):
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and self._takes(scope["query_string"].decode("latin-1")):
            cookie = f"{_COOKIE}={self._session}; HttpOnly; SameSite=Strict; Path=/"
            where = scope["path"]
            await _answer(
                send, 303, [(b"location", where.encode()), (b"set-cookie", cookie.encode())]
            )
        else:
            await _refuse(
                scope, send, "this address works once: start the client again for a new one"
            )

    def _knows(self, cookies: str) -> bool:
        try:
            held = SimpleCookie(cookies).get(_COOKIE)
        except CookieError:
            return False
        return held is not None and secrets.compare_digest(held.value, self._session)

    def _takes(self, query: str) -> bool:
        token = parse_qs(query).get("token", [""])[0]
        if token not in self._tokens:
            return False
        self._tokens.discard(token)
        return True


@asynccontextmanager
async def serving(main: Main, assets: Path, port: int = 0) -> AsyncGenerator[Callable[[str], str]]:
    """Serve the client while the block runs; gives what makes an address for a path, used once."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app: Any = flet_app(
            main,
            assets_dir=str(assets),
            app_name="Sidetone",
            web_renderer=ft.WebRenderer.SKWASM,
            no_cdn=True,
            session_timeout_seconds=_SESSION_SECONDS,
        )
        gate = Gate(app, origin)
        config = uvicorn.Config(
            gate,
            log_level="warning",
            access_log=False,
            ws="websockets-sansio",
            lifespan="on",
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield lambda path: f"{origin}{path}?token={gate.new_token()}"
        finally:
            server.should_exit = True
            await asyncio.gather(running, return_exceptions=True)


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Take none."""
        yield


async def _refuse(scope: _Scope, send: Any, why: str) -> None:  # noqa: ANN401 (ASGI)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": why})
    else:
        await _answer(send, 403, [(b"content-type", b"text/plain; charset=utf-8")], why.encode())


async def _answer(
    send: Any,  # noqa: ANN401
    status: int,
    headers: list[tuple[bytes, bytes]],
    body: bytes = b"",
) -> None:
    size = (b"content-length", str(len(body)).encode())
    private = (b"cache-control", b"no-store")
    await send(
        {"type": "http.response.start", "status": status, "headers": [*headers, size, private]}
    )
    await send({"type": "http.response.body", "body": body})
