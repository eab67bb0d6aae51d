"""A bare client of the gateway: it says what a test wants and waits for what it expects."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from sidetone.protocol.events import ClientEvent
from sidetone.protocol.frames import (
    ClientFrame,
    Dispatch,
    Heartbeat,
    HeartbeatHeard,
    Hello,
    Identify,
    Ready,
    ServerFrame,
)

WAIT_SECONDS = 10.0
_decoder = msgspec.json.Decoder(ServerFrame)


class Listener:
    """One connection."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sequence = 0

    async def say(self, frame: ClientFrame) -> None:
        await self.socket.send(msgspec.json.encode(frame), text=True)

    async def frame(self) -> Any:
        """Return the next frame."""
        async with asyncio.timeout(WAIT_SECONDS):
            return _decoder.decode(await self.socket.recv())

    async def hello(self) -> None:
        assert isinstance(await self.frame(), Hello)

    async def ready(self, token: str) -> Ready:
        """Identify, and return what the gateway begins with."""
        await self.hello()
        await self.say(Identify(token))
        ready = await self.frame()
        assert isinstance(ready, Ready)
        return ready

    async def event(self) -> ClientEvent:
        """Return the next event, whose number follows the last one."""
        dispatch = await self.frame()
        assert isinstance(dispatch, Dispatch), dispatch
        assert dispatch.sequence == self.sequence + 1
        self.sequence = dispatch.sequence
        return dispatch.event

    async def hears_nothing(self) -> None:
        """Check that nothing but the answer is there after a round trip."""
        await self.say(Heartbeat(self.sequence))
        assert await self.frame() == HeartbeatHeard()

    async def closed(self) -> int | None:
        """Return the code with which the gateway hangs up; None: without one."""
        async with asyncio.timeout(WAIT_SECONDS):
            try:
                while True:
                    await self.socket.recv()
            except ConnectionClosed as closed:
                return None if closed.rcvd is None else closed.rcvd.code

    async def drop(self) -> None:
        """Cut the connection without a goodbye."""
        self.socket.transport.abort()
        await self.socket.wait_closed()


@asynccontextmanager
async def listening(port: int, path: str = "/gateway", **options: Any) -> AsyncGenerator[Listener]:
    """Connect to the gateway on *port*."""
    url = f"ws://127.0.0.1:{port}{path}"
    async with connect(
        url, compression=None, ping_interval=None, max_size=None, proxy=None, **options
    ) as socket:
        yield Listener(socket)
