"""The embedded bus for child processes: a parent opens its own bus to them over a local socket.

A Unix socket for its owner alone, so it exists where Unix sockets do and not on Windows. There is
no way back from a lost connection: the parent starts its children, and they end with it.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

from sidetone.bus import Bus, Unsubscribe
from sidetone.bus.answers import answer_in, encode, nobody_answers, require_success
from sidetone.bus.link import Link, question_kind
from sidetone.bus.memory import MemoryBus
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Event
from sidetone.protocol.questions import Question
from sidetone.protocol.refusals import Invalid, Unavailable

A = TypeVar("A")
E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Question[Any])

_EVENT_KINDS: dict[str, type[Event]] = {kind.subject: kind for kind in get_args(Event)}


class LocalBusServer:
    """The parent's end: each child hears, announces, asks and answers on the parent's bus."""

    def __init__(self, bus: Bus, path: Path) -> None:
        self._bus = bus
        self._path = path
        self._children = Tasks()
        self._answering: dict[str, list[Link]] = {}
        self._server: asyncio.Server | None = None
        self._closing = False

    @classmethod
    async def open(cls, bus: Bus, path: Path) -> "LocalBusServer":
        """Listen at *path* for children. Raises ``Unavailable`` where that cannot be."""
        server = cls(bus, path)
        try:
            listener = _listen(path)
        except OSError as error:
            detail = f"cannot open the bus at {path}: {error}; choose another data folder"
            raise Unavailable("bus_unusable", detail) from error
        server._server = await asyncio.start_unix_server(server._accept, sock=listener)
        return server

    async def close(self) -> None:
        """Hang up on every child and remove the socket."""
        self._closing = True
        if self._server is not None:
            self._server.close()
        await self._children.close()
        _remove(self._path)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closing:
            writer.close()
        else:
            self._children.start(self._attend(reader, writer))

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        child = _Child(self._bus, self._answering, reader, writer)
        try:
            await child.link.run()
        finally:
            await child.forget()


class _Child:
    """What one child wants from the parent's bus, for as long as it lives."""

    def __init__(
        self,
        bus: Bus,
        answering: dict[str, list[Link]],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._bus = bus
        self._answering = answering
        self._following: dict[str, Unsubscribe] = {}
        self._turn = asyncio.Lock()
        self.link = Link((reader, writer), bus, {"follow": self._follow, "answer": self._answer})

    async def forget(self) -> None:
        """Send nothing more to the child and ask it nothing."""
        for links in self._answering.values():
            if self.link in links:
                links.remove(self.link)
        for unsubscribe in self._following.values():
            await unsubscribe()

    async def _follow(self, subject: str) -> None:
        kind = _EVENT_KINDS.get(subject)
        if kind is None:
            raise Invalid("subject_unknown", f"{subject} is not an event of this version")
        async with self._turn:
            if subject not in self._following:
                self._following[subject] = await self._bus.subscribe(kind, self._hear)

    async def _hear(self, event: Event) -> None:
        self.link.announce(event)

    async def _answer(self, subject: str) -> None:
        """Let the child answer; of several children the latest does, as long as it lives."""
        kind = question_kind(subject)
        if subject in self._answering:
            self._answering[subject].append(self.link)
            return
        links = self._answering[subject] = [self.link]

        async def forward(question: Question[Any]) -> object:
            for link in reversed(links):
                if not link.closed.is_set():
                    reply = await link.request("ask", subject, encode(question))
                    return answer_in(reply, question)
            raise nobody_answers(subject)

        await self._bus.answer(kind, forward)


class LocalBus:
    """A child's end. ``closed`` is set when the parent is gone, for good."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._here = MemoryBus()
        self._following: set[str] = set()
        self._link = Link((reader, writer), self._here, {})
        self._running = Tasks()
        self._running.start(self._link.run())
        self.closed = self._link.closed

    @classmethod
    async def connect(cls, path: Path) -> "LocalBus":
        """Connect to the parent that listens at *path*. Raises ``Unavailable``."""
        try:
            return cls(*await asyncio.open_unix_connection(path))
        except OSError as error:
            detail = f"no bus answers at {path}: {error}; start the process that carries it"
            raise Unavailable("bus_unreachable", detail) from error

    async def publish(self, event: Event) -> None:
        """Announce *event*, here as well as to everyone else. Raises ``Unavailable``."""
        self._link.require_open()
        self._link.announce(event)

    async def subscribe(
        self, kind: type[E], handler: Callable[[E], Awaitable[None]]
    ) -> Unsubscribe:
        """Call *handler* for each event of *kind*. Raises ``Unavailable``."""
        unsubscribe = await self._here.subscribe(kind, handler)
        if kind.subject not in self._following:
            require_success(await self._link.request("follow", kind.subject))
            self._following.add(kind.subject)
        return unsubscribe

    async def ask(self, question: Question[A]) -> A:
        """Return the answer. Raises the answerer's ``Refusal``, or ``Unavailable``."""
        reply = await self._link.request("ask", question.subject, encode(question))
        return answer_in(reply, question)

    async def answer(self, kind: type[Q], answerer: Callable[[Q], Awaitable[Any]]) -> None:
        """Answer every question of *kind* from now on. Raises ``Unavailable``."""
        await self._here.answer(kind, answerer)
        require_success(await self._link.request("answer", kind.subject))

    async def close(self) -> None:
        """Hang up, and end the handlers that still run."""
        await self._running.close()
        await self._here.close()


def _listen(path: Path) -> socket.socket:
    """Return a listening socket that only this user can reach, in place of one left behind."""
    if _is_alive(path):
        raise FileExistsError("another process listens there")
    _remove(path)
    listener = socket.socket(socket.AF_UNIX)
    # Not chmod after bind: in between anybody could connect.
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener


def _is_alive(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _remove(path: Path) -> None:
    """Remove the socket at *path*, and nothing that is not a socket."""
    if path.is_socket():
        path.unlink()
