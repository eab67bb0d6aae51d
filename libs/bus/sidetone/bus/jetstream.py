"""The journal between machines: one JetStream stream on NATS, MessagePack.

The stream keeps facts for a day on disk; it is nobody's only copy of anything. Two connections:
the one that records gives up when it is lost, because a connection that went on by itself would
send later facts and have lost earlier ones; the one that follows comes back by itself.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, suppress

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamConfig
from nats.js.errors import NotFoundError

from sidetone.bus import Unsubscribe
from sidetone.bus.access import Access
from sidetone.bus.answers import UNREADABLE, encode
from sidetone.bus.following import REPEATS_SECONDS, Telling
from sidetone.bus.kept_follower import KeptFollower
from sidetone.bus.meters import RECORDED
from sidetone.bus.nats import OPEN, connected
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Audience, Fact, InChannel, InServer, Services
from sidetone.protocol.refusals import Unavailable
from sidetone.telemetry.origins import headers_of

STREAM = "FACTS"
# How long the server may take to keep what it was sent, or to answer anything else.
ANSWER_SECONDS_MAX = 2.0
# Facts that a follower asks for at once; at most three times as many wait for its handler.
FACTS_MAX = 256
# What a follower asked for is over after this time. It asks again before that, so that a fact
# always finds somebody who asks.
ASKED_SECONDS = 1.5
ASK_EVERY_SECONDS = 1.0
# Nothing came for so many asks: the server has forgotten the place, or is not there.
SILENT_ASKS_MAX = 3
# The server forgets the place of a follower that has not asked for so long.
ABSENCE_SECONDS = 60.0
RETRY_SECONDS = 0.5

_CONFIG = StreamConfig(
    name=STREAM,
    subjects=["facts.>"],
    max_age=86_400,
    max_bytes=1 << 30,
    duplicate_window=REPEATS_SECONDS,
)
# What the headers of a fact take of the server's limit for a message, generously.
_HEADER_BYTES = 512
# A wait that ends at once would not see what is there.
_LOOK_SECONDS = 0.01
_ASK = json.dumps({"batch": FACTS_MAX, "expires": int(ASKED_SECONDS * 1e9)}).encode()

log = structlog.get_logger(__name__)


class NatsJournal:
    """Facts in the stream ``FACTS``, which is created where it does not exist."""

    def __init__(self, url: str, access: Access, client: Client) -> None:
        self._url = url
        self._access = access
        self._client = client
        self._stream = _stream_of(client)
        self._recorder: _Recorder | None = None
        self._turn = asyncio.Lock()
        self._followers: set[_Follower | KeptFollower] = set()
        self._following = Tasks()

    @classmethod
    async def connect(cls, url: str, access: Access = OPEN) -> "NatsJournal":
        """Connect to the server. Raises ``Unavailable`` where there is none with JetStream."""
        journal = cls(url, access, await connected(url, access))
        try:
            with _translated():
                await _last_of_stream(journal._stream)
        except BaseException:
            await journal.close()
            raise
        return journal

    async def close(self) -> None:
        """End the followers, a handler that runs included, and disconnect."""
        for follower in self._followers:
            follower.end()
        # Its end is what wakes them: while the client sends it swallows that it is cancelled.
        await self._client.close()
        await self._following.close()
        await self._hang_up()

    async def record(self, facts: Sequence[Fact]) -> None:
        """Put *facts* into the stream, in this order; they are kept when this returns.

        All are sent before the first is confirmed. The server takes what comes over one
        connection in order, so what it has kept after a failure is the first part of them.
        """
        if not facts:
            return
        async with self._turn:
            try:
                with _translated():
                    if self._recorder is None:
                        self._recorder = await _Recorder.connect(self._url, self._access)
                    async with asyncio.timeout(ANSWER_SECONDS_MAX):
                        await self._recorder.record(facts)
                RECORDED.inc(len(facts))
            except BaseException:
                # Nothing may come over this connection after it has come over the next one.
                await self._hang_up()
                raise

    async def follow(
        self,
        handler: Callable[[Fact], Awaitable[None]],
        *,
        services_only: bool = False,
        place: str | None = None,
    ) -> Unsubscribe:
        """Call *handler* for each fact that is recorded from now on, one after the other.

        With *services_only* the server sends no others at all. A *place* is kept by the server.
        """
        follower: _Follower | KeptFollower
        with _translated():
            last = await _last_of_stream(self._stream)
            if place is None:
                subject = subject_of(Services()) if services_only else None
                follower = _Follower(self._client, self._stream, handler, last, subject)
            else:
                follower = await KeptFollower.open(self._stream, STREAM, place, handler)
        self._followers.add(follower)
        self._following.start(follower.run())

        async def unsubscribe() -> None:
            follower.end()
            self._followers.discard(follower)

        return unsubscribe

    async def _hang_up(self) -> None:
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            await recorder.close()


class _Recorder:
    """A connection that records one batch after the other; after a failure it is closed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox()
        self._unconfirmed = 0
        self._confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @classmethod
    async def connect(cls, url: str, access: Access) -> "_Recorder":
        client = await connected(url, access, reconnects=False)
        recorder = cls(client)
        try:
            await client.subscribe(recorder._inbox, cb=recorder._confirm)  # pyright: ignore[reportUnknownMemberType]
        except BaseException:
            await client.close()
            raise
        return recorder

    async def record(self, facts: Sequence[Fact]) -> None:
        """Send *facts* and return when the last is confirmed.

        One that no message can hold is left out: it must not hold up all that follow, and a gap
        is something that followers know how to fill.
        """
        packets = [(fact, encode(fact)) for fact in facts]
        sent = [
            each for each in packets if len(each[1]) <= self._client.max_payload - _HEADER_BYTES
        ]
        self._unconfirmed = len(sent)
        self._confirmed = asyncio.get_running_loop().create_future()
        for fact, packet in sent:
            await self._client.publish(
                subject_of(fact.audience),
                packet,
                reply=self._inbox,
                headers={"Nats-Msg-Id": fact.id.hex, **(headers_of(fact.origin) or {})},
            )
        if len(sent) < len(packets):
            log.error("facts_too_large", count=len(packets) - len(sent))
        if sent:
            await self._confirmed

    async def close(self) -> None:
        """Disconnect, be the server there or not."""
        with suppress(TimeoutError, OSError, Error):
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                await self._client.close()

    async def _confirm(self, message: Msg) -> None:
        """Count what the server says of one fact: that it is kept, or why it is not."""
        if self._confirmed.done():
            return
        try:
            error = msgspec.json.decode(message.data, type=_Confirmation).error
        except UNREADABLE:
            # No stream takes what goes to this subject: then the answer is a bare status.
            error = _Error("no stream takes facts")
        if error is not None:
            self._confirmed.set_exception(_Lost(error.description))
            return
        self._unconfirmed -= 1
        if not self._unconfirmed:
            self._confirmed.set_result(None)


class _Error(msgspec.Struct):
    description: str


class _Confirmation(msgspec.Struct):
    """What the server answers to a fact; without an error it is kept, or was kept before."""

    error: _Error | None = None


class _Lost(Exception):
    """The connection or the place in the stream can be used no more: begin anew."""


class _Follower:
    """One handler's place in the stream, kept here: the server may forget its side of it."""

    def __init__(
        self,
        client: Client,
        stream: JetStreamContext,
        handler: Callable[[Fact], Awaitable[None]],
        last: int,
        subject: str | None,
    ) -> None:
        self._client = client
        self._stream = stream
        self._tell = Telling(handler)
        self._last = last
        self._subject = subject
        # How many facts came from the present place, and for how many asks nothing did.
        self._seen = 0
        self._silent_asks = 0
        self._ended = False

    def end(self) -> None:
        """Start no further call of the handler; one that is running may finish."""
        self._ended = True

    async def run(self) -> None:
        """Follow until the end, also through losses of the connection and of the server."""
        while not self._ended:
            try:
                await self._follow()
            except (Error, OSError, TimeoutError, _Lost) as error:
                if self._ended:
                    return
                log.info("journal_lost", reason=str(error) or type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("journal_lost")
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        """Ask for the next facts again and again; raises where the place is lost."""
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)  # pyright: ignore[reportUnknownMemberType]
        try:
            ask = await self._place()
            self._seen = self._silent_asks = 0
            while not self._ended:
                await self._client.publish(ask, _ASK, reply=inbox)
                await self._take_asked(subscription)
        finally:
            with suppress(Error):
                await subscription.unsubscribe()

    async def _place(self) -> str:
        """Have the server keep our place in the stream; return the subject to ask for more."""
        if await _last_of_stream(self._stream) < self._last:
            # Another stream than the one we followed: all that is in it came since.
            self._last = 0
        place = await self._stream.add_consumer(  # pyright: ignore[reportUnknownMemberType]
            STREAM,
            ConsumerConfig(
                # With a name, what is asked for stands in the subject, where rights are checked.
                name=secrets.token_hex(8),
                deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
                opt_start_seq=self._last + 1,
                filter_subject=self._subject,
                ack_policy=AckPolicy.NONE,
                inactive_threshold=ABSENCE_SECONDS,
                mem_storage=True,
                num_replicas=1,
            ),
        )
        return f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{place.name}"

    async def _take_asked(self, subscription: Subscription) -> None:
        """Handle what comes until it is time to ask again.

        That what was asked for is over (404, 408) is no reason to: NATS 2.9 does not say so where
        a fact comes in that moment, and who waited for it would be deaf meanwhile.
        """
        ask_at = time.monotonic() + ASK_EVERY_SECONDS
        for _ in range(FACTS_MAX):
            message = await self._next(subscription, ask_at)
            if message is None or self._ended:
                return
            status = (message.headers or {}).get("Status")
            if status is None:
                await self._take(message)
            elif status not in {"404", "408"}:
                raise _Lost(f"the server says {status}")

    async def _next(self, subscription: Subscription, ask_at: float) -> Msg | None:
        """Return the next message, or None where none is there and it is *ask_at*."""
        try:
            message = await subscription.next_msg(max(ask_at - time.monotonic(), _LOOK_SECONDS))
        except NatsTimeoutError:
            self._silent_asks += 1
            if self._silent_asks == SILENT_ASKS_MAX:
                raise _Lost("the server does not answer") from None
            return None
        self._silent_asks = 0
        return message

    async def _take(self, message: Msg) -> None:
        sequence = message.metadata.sequence
        if sequence.consumer != self._seen + 1:
            raise _Lost("a fact was lost on its way")
        self._seen += 1
        await self._handle(message)
        self._last = sequence.stream

    async def _handle(self, message: Msg) -> None:
        try:
            fact = msgspec.msgpack.decode(message.data, type=Fact)
        except UNREADABLE as error:
            log.warning("fact_malformed", subject=message.subject, error=str(error))
            return
        await self._tell(fact, message.metadata.num_pending or 0)


def _stream_of(client: Client) -> JetStreamContext:
    return client.jetstream(timeout=ANSWER_SECONDS_MAX)  # pyright: ignore[reportUnknownMemberType]


async def _last_of_stream(stream: JetStreamContext) -> int:
    """Return the number of the last fact in the stream, which is made where there is none."""
    try:
        state = (await stream.stream_info(STREAM)).state
    except NotFoundError:
        state = (await stream.add_stream(_CONFIG)).state  # pyright: ignore[reportUnknownMemberType]
    return state.last_seq


def subject_of(audience: Audience) -> str:
    """Return where facts for *audience* go, so that somebody could follow a part of them.

    >>> subject_of(Services())
    'facts.services'
    """
    match audience:
        case InServer(server) | InChannel(server, _):
            return f"facts.server.{server.hex}"
        case Services():
            return "facts.services"
        case _:
            return "facts.users"


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except (Error, OSError, TimeoutError, _Lost) as error:
        reason = str(error) or type(error).__name__
        detail = f"the journal does not answer ({reason}); facts are told when it is back"
        raise Unavailable("journal_unavailable", detail) from error
