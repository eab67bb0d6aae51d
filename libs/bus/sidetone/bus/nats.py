"""The bus between machines: core NATS, MessagePack.

At most once and nothing kept: whoever was away reads the facts back from storage.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from sidetone.bus import Unsubscribe
from sidetone.bus.access import Access
from sidetone.bus.answers import (
    ANSWER_SECONDS_MAX,
    ANSWERS_MAX,
    UNREADABLE,
    Answerer,
    answer_in,
    answer_late,
    encode,
    nobody_answers,
    refuse,
    reply_to,
    too_many_questions,
)
from sidetone.bus.inbox import Inbox
from sidetone.bus.meters import PUBLISHED, asking
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Event
from sidetone.protocol.questions import Question
from sidetone.protocol.refusals import Unavailable
from sidetone.telemetry.origins import continued, headers_of, origin_in, origin_now
from sidetone.telemetry.tracing import span

# A server without accounts, on a network that nobody else is on.
OPEN = Access()
_CONNECT_SECONDS_MAX = 5.0
_RECONNECT_SECONDS = 0.5

_GIVE_UP_SECONDS = 0.5
# Whoever asked waits no longer either.
_GOODBYE_SECONDS = 1
_DISCONNECT_SECONDS = 2
_PACKED_FROM_BYTES = 128 * 1024
_UNPACKED_BYTES_MAX = 32 * 1024 * 1024

A = TypeVar("A")
E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Question[Any])

log = structlog.get_logger(__name__)


class NatsBus:
    """Subjects map one to one; the answerers of one question share the load as a queue group."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._deliveries = Tasks()
        self._answers = Tasks()
        self._questions: list[Subscription] = []

    @classmethod
    async def connect(
        cls,
        url: str,
        reconnected: Callable[[], Awaitable[None]] | None = None,
        access: Access = OPEN,
    ) -> "NatsBus":
        """Connect to the server, and connect again whenever the connection is lost.

        *reconnected* is awaited each time it is back: events may have been missed. Raises
        ``Unavailable`` where there is no server within 5 seconds.
        """
        return cls(await connected(url, access, reconnected=reconnected))

    async def publish(self, event: Event) -> None:
        """Announce *event*. Raises ``Unavailable`` where the bus has been away for long."""
        try:
            await self._client.publish(
                event.subject, encode(event), headers=headers_of(origin_now())
            )
        except Error as error:
            raise _lost(event.subject) from error
        PUBLISHED.labels(event.subject).inc()

    async def subscribe(
        self, kind: type[E], handler: Callable[[E], Awaitable[None]]
    ) -> Unsubscribe:
        """Call *handler* for each event of *kind*."""
        inbox = Inbox(kind, handler)

        async def offer(message: Msg) -> None:
            try:
                event = msgspec.msgpack.decode(message.data, type=kind)
                inbox.offer(event, origin_in(message.headers))
            except UNREADABLE as error:
                log.warning("event_malformed", subject=kind.subject, error=str(error))

        subscription = await self._register(kind.subject, offer)
        self._deliveries.start(inbox.deliver())

        async def unsubscribe() -> None:
            inbox.end()
            with suppress(Error):
                await subscription.unsubscribe()

        return unsubscribe

    async def ask(self, question: Question[A]) -> A:
        """Return the answer. Raises the answerer's ``Refusal``, or ``Unavailable``."""
        subject = question.subject
        with span(f"send {subject}", "client"), asking(subject):
            reply = await self._request(subject, encode(question))
            return answer_in(_unpacked(reply, subject), question)

    async def _request(self, subject: str, question: bytes) -> bytes:
        headers = headers_of(origin_now())
        try:
            message = await self._client.request(
                subject, question, timeout=ANSWER_SECONDS_MAX, headers=headers
            )
        except NoRespondersError as error:
            raise nobody_answers(subject) from error
        except NatsTimeoutError as error:
            raise answer_late(subject) from error
        except Error as error:
            raise _lost(subject) from error
        return message.data

    async def answer(self, kind: type[Q], answerer: Callable[[Q], Awaitable[Any]]) -> None:
        """Answer every question of *kind* from now on, side by side with other processes."""
        take = partial(self._take_question, kind, answerer)
        self._questions.append(await self._register(kind.subject, take, queue=kind.subject))

    async def close(self) -> None:
        """Take no more questions, answer those that came, end what still runs, and disconnect."""
        with suppress(Error):
            for subscription in self._questions:
                await subscription.unsubscribe()
            await self._client.flush(_GOODBYE_SECONDS)
        await self._answers.finish(_GOODBYE_SECONDS)
        await disconnect(self._client)
        await self._deliveries.close()
        await self._answers.close()

    async def _register(
        self, subject: str, callback: Callable[[Msg], Awaitable[None]], queue: str = ""
    ) -> Subscription:
        try:
            subscription = await self._client.subscribe(  # pyright: ignore[reportUnknownMemberType]
                subject, queue=queue, cb=callback
            )
        except Error as error:
            raise _lost(subject) from error
        # Without this round trip a publish from another connection could overtake us. While the
        # bus is away there is none to overtake; the client registers again when it is back.
        with suppress(Error):
            # The client writes its PING past the buffer that still holds the subscription. When
            # the PONG is here the buffer is empty, and only the second PING comes last.
            await self._client.flush()
            await self._client.flush()
        return subscription

    async def _take_question(
        self, kind: type[Question[Any]], answerer: Answerer, message: Msg
    ) -> None:
        """Start on the answer and return at once: the client calls this once per time."""
        if len(self._answers) >= ANSWERS_MAX:
            await message.respond(refuse(too_many_questions(kind.subject)))
        else:
            self._answers.start(self._respond(kind, answerer, message))

    async def _respond(self, kind: type[Question[Any]], answerer: Answerer, message: Msg) -> None:
        origin = origin_in(message.headers)
        with continued(origin, f"process {kind.subject}", "server"):
            reply = await reply_to(kind, answerer, message.data)
        try:
            await message.respond(_packed(reply))
        except Error as error:
            log.warning("answer_lost", subject=kind.subject, error=str(error))


def _packed(reply: bytes) -> bytes:
    """Return *reply*, compressed where it is large: the server takes no more than a megabyte.

    A whole server with thousands of members is the one answer that comes near.
    """
    return reply if len(reply) < _PACKED_FROM_BYTES else zlib.compress(reply, 1)


def _unpacked(reply: bytes, subject: str) -> bytes:
    """Return what was packed. Raises ``Unavailable`` for what no answerer of ours sends."""
    # No encoded reply begins with the byte that a zlib stream begins with (RFC 1950).
    if not reply.startswith(b"\x78"):
        return reply
    stream = zlib.decompressobj()
    try:
        unpacked = stream.decompress(reply, _UNPACKED_BYTES_MAX)
    except zlib.error as error:
        raise Unavailable("answer_malformed", f"the answer to {subject} is damaged") from error
    if not stream.eof:
        raise Unavailable("answer_too_large", f"the answer to {subject} is too large")
    return unpacked


class _Events:
    """What a client tells us of its connection, for the log."""

    def __init__(self, client: Client, reconnected: Callable[[], Awaitable[None]] | None) -> None:
        self._client = client
        self._reconnected = reconnected
        self._reason = ""

    async def failed(self, error: Exception) -> None:
        """Log why, once: the client tries twice a second and says it each time.

        What a failed attempt to come back has opened is closed here: the client forgets it.
        """
        transport = self._client._transport  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        if transport is not None and not self._client.is_connected:
            with suppress(AttributeError):
                transport.close()
        reason = str(error) or type(error).__name__
        if reason != self._reason:
            log.warning("bus_error", error=reason)
        self._reason = reason

    async def disconnected(self) -> None:
        """Log what nobody asked for."""
        if not self._client.is_closed:
            log.warning("bus_disconnected")

    async def reconnected(self) -> None:
        """Log it, and tell who wants to know."""
        self._reason = ""
        log.info("bus_reconnected")
        if self._reconnected is not None:
            await self._reconnected()


async def connected(
    url: str,
    access: Access = OPEN,
    *,
    reconnects: bool = True,
    reconnected: Callable[[], Awaitable[None]] | None = None,
) -> Client:
    """Return a client that is connected. Raises ``Unavailable`` after 5 seconds.

    Unless it *reconnects* by itself, its first loss is its end.
    """
    options = access.options()
    client = Client()
    events = _Events(client, reconnected)
    connecting = asyncio.create_task(
        client.connect(
            url,
            allow_reconnect=reconnects,
            error_cb=events.failed,
            disconnected_cb=events.disconnected,
            reconnected_cb=events.reconnected,
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RECONNECT_SECONDS,  # pyright: ignore[reportArgumentType]  # its hint says int, it sleeps for it
            **options,
        )
    )
    try:
        async with asyncio.timeout(_CONNECT_SECONDS_MAX):
            await asyncio.shield(connecting)
    except (Error, OSError) as error:
        await _give_up(connecting, client)
        detail = (
            f"no NATS server lets us in at {urlsplit(url).hostname} "
            f"({client.last_error or error}); check that it runs and that the URL is right"
        )
        raise Unavailable("bus_unreachable", detail) from error
    except BaseException:
        await _give_up(connecting, client)
        raise
    return client


async def _give_up(connecting: asyncio.Task[None], client: Client) -> None:
    """Close *client*, which may be in the middle of connecting.

    Cut off at the wrong moment it would forget a socket that is open already: it gets a moment to
    end by itself.
    """
    await asyncio.wait([connecting], timeout=_GIVE_UP_SECONDS)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    await disconnect(client)


async def disconnect(client: Client) -> None:
    """Close *client*, be the server there or not, within four seconds.

    Over a connection that broke a moment ago, or that nobody reads from, it fails half way at
    what it still had to send, and would keep the rest open: then it closes with nothing to send.
    """
    for _ in range(2):
        closing = asyncio.create_task(client.close())
        await asyncio.wait([closing], timeout=_DISCONNECT_SECONDS)
        closing.cancel()
        [failure] = await asyncio.gather(closing, return_exceptions=True)
        if failure is None:
            return
        client._status = Client.DISCONNECTED  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        client._pending_data_size = 0  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def _lost(subject: str) -> Unavailable:
    return Unavailable("bus_lost", f"the bus is away for {subject}; try again later")
