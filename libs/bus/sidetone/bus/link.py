"""One connection of the local bus: events and requests, both ways, over a stream.

Each message is a msgpack tagged struct after its length in 4 bytes, big-endian. Nothing here makes
a publisher wait: what the other side does not read in time is dropped and counted.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any, Literal, TypeAlias, cast

import msgspec
import structlog

from sidetone.bus import Bus
from sidetone.bus.answers import (
    ANSWER_SECONDS_MAX,
    ANSWERS_MAX,
    UNREADABLE,
    Reply,
    answer_late,
    encode,
    refuse,
    reply_to,
    too_many_questions,
)
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Event, Origin
from sidetone.protocol.questions import Question
from sidetone.protocol.refusals import Invalid, Refusal, Unavailable
from sidetone.telemetry.origins import continued, origin_now

MESSAGE_BYTES_MAX = 1 << 20
UNREAD_BYTES_MAX = 4 << 20
_LENGTH_BYTES = 4

Verb: TypeAlias = Literal["ask", "follow", "answer"]

log = structlog.get_logger(__name__)


class Announced(msgspec.Struct, frozen=True, tag="announced", omit_defaults=True):
    """A fact, in its own encoding."""

    event: bytes
    origin: Origin = Origin()


class Requested(msgspec.Struct, frozen=True, tag="requested", omit_defaults=True):
    """Something that wants a ``Replied`` with the same number."""

    number: int
    verb: Verb
    subject: str
    question: bytes
    origin: Origin = Origin()


class Replied(msgspec.Struct, frozen=True, tag="replied"):
    """An encoded ``Reply``."""

    number: int
    reply: bytes


Message: TypeAlias = Announced | Requested | Replied


class Link:
    """Passes the events and questions of the other side to *bus*; *verbs* are further requests."""

    def __init__(
        self,
        streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        bus: Bus,
        verbs: Mapping[Verb, Callable[[str], Awaitable[None]]],
    ) -> None:
        self.closed = asyncio.Event()
        self._reader, self._writer = streams
        self._bus = bus
        self._verbs = verbs
        self._messages: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)
        self._events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)
        self._numbers = itertools.count()
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._answers = Tasks()
        self._dropped = 0

    def announce(self, event: Event) -> None:
        """Send *event*, unless the other side is gone or does not read."""
        self._send(Announced(encode(event), origin_now()))

    async def request(self, verb: Verb, subject: str, question: bytes = b"") -> bytes:
        """Return the encoded ``Reply``. Raises ``Unavailable`` where none comes."""
        self.require_open()
        if len(self._waiting) >= ANSWERS_MAX:
            raise too_many_questions(subject)
        number = next(self._numbers)
        reply = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send(Requested(number, verb, subject, question, origin_now()))
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                return await reply
        except TimeoutError as error:
            raise answer_late(subject) from error
        finally:
            del self._waiting[number]

    def require_open(self) -> None:
        """Raise ``Unavailable`` where the other side is gone."""
        if self.closed.is_set():
            raise _lost()

    async def run(self) -> None:
        """Take what the other side sends until one of the two hangs up."""
        try:
            while True:
                await self._take(self._messages.decode(await self._read()))
        except (OSError, asyncio.IncompleteReadError):
            pass
        except UNREADABLE as error:
            log.warning("bus_peer_unreadable", error=str(error))
        finally:
            self.closed.set()
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(_lost())
            self._writer.close()
            await self._answers.close()
            with suppress(OSError):
                await self._writer.wait_closed()

    async def _read(self) -> bytes:
        size = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
        if size > MESSAGE_BYTES_MAX:
            raise ValueError(f"a message of {size} bytes; at most {MESSAGE_BYTES_MAX} are allowed")
        return await self._reader.readexactly(size)

    async def _take(self, message: Message) -> None:
        match message:
            case Announced(event, origin):
                with continued(origin, "process local"):
                    await self._publish(event)
            case Replied(number, reply):
                waiting = self._waiting.get(number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
            case Requested(number, _, subject) if len(self._answers) >= ANSWERS_MAX:
                self._send(Replied(number, refuse(too_many_questions(subject))))
            case Requested():
                self._answers.start(self._respond(message))

    async def _publish(self, event: bytes) -> None:
        try:
            await self._bus.publish(self._events.decode(event))
        except (*UNREADABLE, Refusal) as error:
            log.warning("event_lost", error=str(error))

    async def _respond(self, request: Requested) -> None:
        try:
            with continued(request.origin, f"process {request.subject}", "server"):
                reply = await self._carry_out(request)
        except Refusal as refusal:
            reply = refuse(refusal)
        self._send(Replied(request.number, reply))

    async def _carry_out(self, request: Requested) -> bytes:
        if request.verb == "ask":
            kind = question_kind(request.subject)
            return await reply_to(kind, self._bus.ask, request.question)
        if request.verb not in self._verbs:
            raise Invalid("verb_unknown", f"this side of the bus cannot {request.verb}")
        await self._verbs[request.verb](request.subject)
        return encode(Reply())

    def _send(self, message: Message) -> None:
        if self._writer.is_closing():
            return
        data = encode(message)
        unread = self._writer.transport.get_write_buffer_size()
        if len(data) > MESSAGE_BYTES_MAX or unread > UNREAD_BYTES_MAX:
            self._dropped += 1
            log.warning("message_dropped", bytes=len(data), unread=unread, dropped=self._dropped)
            return
        self._writer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def question_kind(subject: str) -> type[Question[Any]]:
    """Return the class of the questions on *subject*. Raises ``Invalid`` where there is none."""
    kinds = cast("list[type[Question[Any]]]", Question.__subclasses__())
    for kind in kinds:
        if kind.subject == subject:
            return kind
    raise Invalid("subject_unknown", f"{subject} is not a question of this version; update it")


def _lost() -> Unavailable:
    return Unavailable("bus_lost", "the process that carries the bus is gone; start it again")
