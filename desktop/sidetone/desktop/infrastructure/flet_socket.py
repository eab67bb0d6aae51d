"""Flet's end of the socket to a browser, without the web framework that its package brings along.

It needs two names of FastAPI, and these are Starlette's. FastAPI itself, with all that describes
interfaces to others, would take longer to import than everything else until something is drawn,
and 20 MB. Flet is pinned to one version, and because of this as well.
"""

import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from typing_extensions import override

from sidetone.desktop.infrastructure.importing import standing_in
from sidetone.desktop.infrastructure.page_files import flet_files


class Socket(WebSocket):
    """A browser's end, of which Flet learns by reading alone that it is closed, and always.

    Otherwise it would wait for ever for one that was closed before it said anything, and keep for
    ever the session of one that was closed while something was sent.
    """

    closed = False
    _first: bytes | None = None

    @override
    async def accept(
        self, subprotocol: str | None = None, headers: Iterable[tuple[bytes, bytes]] | None = None
    ) -> None:
        """Let it in and wait for its first message. Raises ``WebSocketDisconnect`` without one."""
        await super().accept(subprotocol, headers)
        self._first = await self._read()

    @override
    async def receive_bytes(self) -> bytes:
        """Return its next message. Raises ``WebSocketDisconnect`` when it is closed."""
        first, self._first = self._first, None
        return await self._read() if first is None else first

    @override
    async def send_bytes(self, data: bytes) -> None:
        """Send *data*, to nobody when it is closed."""
        with suppress(WebSocketDisconnect):
            if self.application_state is WebSocketState.CONNECTED:
                await super().send_bytes(data)

    async def _read(self) -> bytes:
        # Not as usual: who could send nothing any more could not learn why either.
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            self.closed = True
            raise WebSocketDisconnect(message["code"])
        return message["bytes"]


_names: Any = ModuleType("fastapi")
_names.WebSocket, _names.WebSocketDisconnect = WebSocket, WebSocketDisconnect
# The package itself would import all that is in it.
_package: Any = ModuleType("flet_web.fastapi")
_package.__path__ = [str(flet_files().parent / "fastapi")]
sys.modules.setdefault(_package.__name__, _package)

with standing_in({"fastapi": _names}):
    _flet_app: Any = import_module("flet_web.fastapi.flet_app").FletApp
    app_manager: Any = import_module("flet_web.fastapi.flet_app_manager").app_manager


class Window(_flet_app):
    """Flet's end of a socket, which bears that it is closed while something is drawn.

    Flet has nowhere to put what is drawn from then on, until its session hears of the end, and
    then it forgets the session, although what draws the first screen comes back to it.
    """

    _socket: Socket

    async def handle(self, websocket: Socket) -> None:
        """Be the window of one browser until it is closed."""
        self._socket = websocket
        await super().handle(websocket)  # pyright: ignore[reportUnknownMemberType]

    def send_message(self, message: object) -> None:
        """Send what was drawn, to nobody when it is closed."""
        if not self._socket.closed:
            super().send_message(message)  # pyright: ignore[reportUnknownMemberType]

    def dispose(self) -> None:
        """Keep the session: it goes with this."""


__all__ = ["Socket", "WebSocketDisconnect", "Window", "app_manager"]
