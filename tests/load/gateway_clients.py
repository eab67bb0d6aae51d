"""Thousands of clients of the gateway in one process, as lean as they can be.

``python -m tests.load.gateway_clients PORT``: reads tokens from standard input, one a line, opens
a socket for each and says ``open`` when all are. For each line ``round EVENTS`` that follows it
waits until every socket has so many events more, and says when the last one came, as nanoseconds
of the monotonic clock. Ends with its standard input.
"""

import asyncio
import base64
import os
import resource
import sys
import time
from asyncio import StreamReader
from typing import cast

import msgspec
import uvloop
from typing_extensions import override
from websockets.frames import Frame, Opcode

from sidetone.protocol.frames import Identify

AT_ONCE = 100
_SMALL, _LONG, _LONGER = 125, 126, 127


class Crowd:
    """All sockets, and how many events each of them has."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.events = 0
        self.goal = 0
        self.last_ns = 0
        self.reached = asyncio.Event()

    def arrived(self, events: int) -> None:
        self.events += events
        if self.events >= self.goal:
            self.last_ns = time.monotonic_ns()
            self.reached.set()

    async def round(self, events: int) -> int:
        """Wait until every socket has *events* more; return when the last one came."""
        self.goal += events * self.count
        self.reached.clear()
        if self.events < self.goal:
            await self.reached.wait()
        return self.last_ns


class Client(asyncio.Protocol):
    """One socket: counts frames, and reads none."""

    __slots__ = ("_crowd", "_head", "_skip", "_token", "frames", "opened", "transport")

    def __init__(self, crowd: Crowd, token: str) -> None:
        self._crowd = crowd
        self._token = token
        self._head: bytes | None = b""
        self._skip = 0
        self.frames = 0
        self.opened: asyncio.Future[None] | None = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /gateway HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    @override
    def data_received(self, data: bytes) -> None:
        if self.opened is not None and self.frames == 0 and self._token:
            assert self._head is not None
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            data, self._head = self._head.partition(b"\r\n\r\n")[2], b""
            assert self.transport is not None
            identify = msgspec.json.encode(Identify(self._token))
            self._token = ""
            self.transport.write(Frame(Opcode.TEXT, identify).serialize(mask=True))
        before = self.frames
        self._count(data)
        if self.opened is None:
            if self.frames != before:
                self._crowd.arrived(self.frames - before)
        elif self.frames >= 2:
            # The greeting and the snapshot are no events.
            self.opened.set_result(None)
            self.opened = None
            self._crowd.arrived(self.frames - 2)

    def _count(self, data: bytes) -> None:
        at, size = 0, len(data)
        while at < size:
            if self._skip:
                step = min(self._skip, size - at)
                self._skip -= step
                at += step
                self.frames += not self._skip
                continue
            head = (self._head or b"") + data[at : at + 10]
            length, header = _length(head)
            if header == 0:
                self._head = head
                return
            at += header - len(self._head or b"")
            self._head, self._skip = b"", length

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self.opened is not None:
            self.opened.set_exception(ConnectionError("the gateway closed the socket"))
            self.opened = None


def _length(head: bytes) -> tuple[int, int]:
    """Return the lengths of a frame's text and of its header; zeros while that is incomplete."""
    if len(head) < 2:
        return 0, 0
    short = head[1]
    header = {_LONG: 4, _LONGER: 10}.get(short, 2)
    if len(head) < header:
        return 0, 0
    return (short if short <= _SMALL else int.from_bytes(head[2:header])), header


async def main(port: int, lines: StreamReader) -> None:
    tokens = []
    while token := (await lines.readline()).decode().strip():
        tokens.append(token)
    crowd = Crowd(len(tokens))
    turns = asyncio.Semaphore(AT_ONCE)
    loop = asyncio.get_running_loop()

    async def connect(token: str) -> Client:
        async with turns:
            _, client = await loop.create_connection(
                lambda: Client(crowd, token), "127.0.0.1", port
            )
            assert client.opened is not None
            await client.opened
            return client

    clients = await asyncio.gather(*(connect(token) for token in tokens))
    print("open", flush=True)
    while line := (await lines.readline()).decode().split():
        print(await crowd.round(int(line[1])), flush=True)
    for client in clients:
        if client.transport is not None:
            client.transport.abort()


async def _with_input(port: int) -> None:
    lines = StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    await main(port, lines)


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_with_input(int(sys.argv[1])))
