"""The entrance of a process that is served before its engines are there, and until it has left.

It is alive from the first moment. Everything else is refused until the application is behind it:
a load balancer asks ``/readyz`` and sends nobody, and who comes all the same may come again. A
process that was told to stop says that it is not ready and goes on answering for a while, because
whoever sends it requests learns of that a little later.
"""

import asyncio
from typing import Any, cast

import msgspec
import uvicorn
from litestar.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override
from uvicorn.server import ServerState

from sidetone.protocol.refusals import Problem
from sidetone.runtime.process import Upgrades

_UNAVAILABLE = 503
_RETRY_SECONDS = b"1"


class Entrance:
    """Answers for an application that comes later; it is the app and its upgrades in one."""

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._door: Upgrades | None = None
        self._leaving = False
        self.missing = "the process has just started"

    def open(self, app: ASGIApp, door: Upgrades | None = None) -> None:
        """Let everybody through to *app*, and sockets to *door*."""
        self._app, self._door = app, door

    def leave(self) -> None:
        """Say that nobody new should come."""
        self._leaving = True

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be the application."""
        path = scope["path"]
        if path == "/livez" and self._app is None:
            await _send(send, 200, b"text/plain", b"alive")
        elif path == "/readyz" and self._leaving:
            await _refuse(send, Problem("unavailable", "stopping", "this process is stopping"))
        elif self._app is None:
            await _refuse(send, Problem("unavailable", "starting", f"not yet: {self.missing}"))
        else:
            await self._app(scope, receive, send)

    def __call__(
        self, config: uvicorn.Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> asyncio.Protocol:
        """Return the protocol of a connection that becomes a socket."""
        if self._door is None:
            return _Refused()
        return self._door(config, server_state, app_state)

    async def close(self) -> None:
        """Close the door."""
        if self._door is not None:
            await self._door.close()


class _Refused(asyncio.Protocol):
    """Sends away who wants a socket and finds no door yet."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        way = cast("asyncio.Transport", transport)
        way.write(
            b"HTTP/1.1 503 Service Unavailable\r\nretry-after: " + _RETRY_SECONDS + b"\r\n"
            b"content-length: 0\r\nconnection: close\r\n\r\n"
        )
        way.close()


async def _refuse(send: Send, problem: Problem) -> None:
    await _send(send, _UNAVAILABLE, b"application/problem+json", msgspec.json.encode(problem))


async def _send(send: Send, status: int, media_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", media_type), (b"content-length", b"%d" % len(body))]
    if status == _UNAVAILABLE:
        headers.append((b"retry-after", _RETRY_SECONDS))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
