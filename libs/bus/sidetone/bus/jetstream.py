"""The journal between machines: one JetStream stream on NATS, MessagePack.

The stream keeps facts for a day on disk; it is nobody's only copy of anything. Two connections:
the one that records gives up when it is lost, because a connection that went on by itself would
send later facts and have lost earlier ones; the one that follows comes back by itself.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from sidetone.bus import Unsubscribe
from sidetone.bus.access import Access
from sidetone.bus.answers import UNREADABLE, encode
from sidetone.bus.facts_stream import ANSWER_SECONDS_MAX, last_of, stream_of, subject_of
from sidetone.bus.follower import Follower
from sidetone.bus.kept_follower import KeptFollower
from sidetone.bus.line import Line, Lost
from sidetone.bus.meters import RECORDED
from sidetone.bus.nats import OPEN, connected, disconnect
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Fact, Services
from sidetone.protocol.refusals import Unavailable
from sidetone.telemetry.origins import headers_of

# What the headers of a fact take of the server's limit for a message, generously.
_HEADER_BYTES = 512

log = structlog.get_logger(__name__)


class NatsJournal:
    """Facts in the stream ``FACTS``, which is created where it does not exist."""

    def __init__(self, url: str, access: Access, client: Client, lines: set[Line]) -> None:
        self._url = url
        self._access = access
        self._client = client
        self._stream = stream_of(client)
        self._recorder: _Recorder | None = None
        self._turn = asyncio.Lock()
        # Those of the followers.
        self._lines = lines
        self._following = Tasks()

    @classmethod
    async def connect(cls, url: str, access: Access = OPEN) -> "NatsJournal":
        """Connect to the server. Raises ``Unavailable`` where there is none with JetStream."""
        lines: set[Line] = set()

        async def renew() -> None:
            for line in lines:
                line.renew()

        journal = cls(url, access, await connected(url, access, reconnected=renew), lines)
        try:
            with _translated():
                await last_of(journal._stream)
        except BaseException:
            await journal.close()
            raise
        return journal

    async def close(self) -> None:
        """End the followers, a handler that runs included, and disconnect."""
        for line in self._lines:
            line.end()
        # Its end is what wakes who sends: the client swallows there that it is cancelled.
        await disconnect(self._client)
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
        follower: Follower | KeptFollower
        with _translated():
            last = await last_of(self._stream)
            if place is None:
                subject = subject_of(Services()) if services_only else None
                follower = Follower(self._stream, handler, last, subject)
            else:
                follower = KeptFollower(self._stream, place, handler)
                await follower.keep_place()
        line = Line(self._client)
        self._lines.add(line)
        self._following.start(line.hold(follower.follow))

        async def unsubscribe() -> None:
            line.end()
            self._lines.discard(line)

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
            await disconnect(client)
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
        await disconnect(self._client)

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
            self._confirmed.set_exception(Lost(error.description))
            return
        self._unconfirmed -= 1
        if not self._unconfirmed:
            self._confirmed.set_result(None)


class _Error(msgspec.Struct):
    description: str


class _Confirmation(msgspec.Struct):
    """What the server answers to a fact; without an error it is kept, or was kept before."""

    error: _Error | None = None


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except (Error, OSError, TimeoutError, Lost) as error:
        reason = str(error) or type(error).__name__
        detail = f"the journal does not answer ({reason}); facts are told when it is back"
        raise Unavailable("journal_unavailable", detail) from error
