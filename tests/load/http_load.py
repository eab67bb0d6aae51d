"""A lean HTTP/1.1 load generator: raw asyncio connections, one request at a time on each.

Paced load is open-loop: a request counts from the moment it was due, so that a server which stalls
cannot slow the clock down (coordinated omission).
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import cast

import msgspec

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._waiting: asyncio.Future[Answer] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(_HEAD_END)
        if end < 0:
            return
        head = self._received[:end].lower()
        body_start = end + len(_HEAD_END)
        body_end = body_start + _length(head)
        if len(self._received) < body_end:
            return
        answer = Answer(int(head[9:12]), self._received[body_start:body_end])
        self._received = self._received[body_end:]
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or ConnectionResetError("the server hung up"))

    async def send(self, request: bytes) -> Answer:
        """Send the bytes of a request and return its answer."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Pool:
    """Some connections to one server, each lent to one request at a time."""

    def __init__(self, connections: Sequence[Connection]) -> None:
        self.connections = connections
        self._idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for connection in connections:
            self._idle.put_nowait(connection)

    async def send(self, request: bytes) -> Answer:
        """Send *request* as soon as a connection is idle."""
        connection = await self._idle.get()
        try:
            return await connection.send(request)
        finally:
            self._idle.put_nowait(connection)


@asynccontextmanager
async def open_pool(port: int, size: int) -> AsyncGenerator[Pool]:
    """Open *size* connections to *port* of this machine."""
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(Connection, "127.0.0.1", port))[1] for _ in range(size)
    ]
    try:
        yield Pool(connections)
    finally:
        for connection in connections:
            connection.close()


def request(method: str, path: str, token: str, body: object = None) -> bytes:
    """Return the bytes of a request."""
    content = b"" if body is None else msgspec.json.encode(body)
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


async def paced(
    pool: Pool, make: Callable[[int], bytes], *, rate: float, seconds: float, status: int
) -> list[float]:
    """Send *rate* requests a second; return the milliseconds of each, from when it was due."""
    taken_ms: list[float] = []

    async def one(number: int, due: float) -> None:
        answer = await pool.send(make(number))
        if answer.status != status:
            raise RuntimeError(f"{answer.status} instead of {status}: {answer.body!r}")
        taken_ms.append((time.perf_counter() - due) * 1000)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as running:
        for number in range(int(rate * seconds)):
            due = started + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            running.create_task(one(number, due))
    return sorted(taken_ms)


async def flat_out(
    pool: Pool, make: Callable[[int], bytes], *, seconds: float, status: int
) -> float:
    """Send on all connections as fast as answers come; return the requests per second."""
    numbers = count()
    answered = 0
    started = time.perf_counter()

    async def keep_sending(connection: Connection) -> None:
        nonlocal answered
        while time.perf_counter() - started < seconds:
            answer = await connection.send(make(next(numbers)))
            if answer.status != status:
                raise RuntimeError(f"{answer.status} instead of {status}: {answer.body!r}")
            answered += 1

    async with asyncio.TaskGroup() as running:
        for connection in pool.connections:
            running.create_task(keep_sending(connection))
    return answered / (time.perf_counter() - started)


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the value below which *percent* of the ordered values lie.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50)
    3.0
    """
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _length(head: bytes) -> int:
    start = head.find(_LENGTH)
    if start < 0:
        return 0
    end = head.find(b"\r\n", start)
    return int(head[start + len(_LENGTH) : end if end > 0 else None])
