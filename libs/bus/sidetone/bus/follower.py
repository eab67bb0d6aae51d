"""A follower whose place in the stream is kept here: the server may forget its side of it."""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from sidetone.bus.answers import UNREADABLE
from sidetone.bus.facts_stream import STREAM, last_of
from sidetone.bus.following import Telling
from sidetone.bus.line import Asking, Lost
from sidetone.protocol.events import Fact

# Facts that a follower asks for at once; at most three times as many wait for its handler.
FACTS_MAX: Final = 256
# What a follower asked for is over after this time. It asks again before that, so that a fact
# always finds somebody who asks.
ASKED_SECONDS: Final = 1.5
ASK_EVERY_SECONDS: Final = 1.0
# Nothing came for so many asks: the server has forgotten the place, or is not there.
SILENCES_MAX: Final = 3
# The server forgets the place of a follower that has not asked for so long.
ABSENCE_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


class Follower:
    """Tells one handler what comes after fact *last*, or only what goes to *subject*."""

    def __init__(
        self,
        stream: JetStreamContext,
        handler: Callable[[Fact], Awaitable[None]],
        last: int,
        subject: str | None,
    ) -> None:
        self._stream = stream
        self._tell = Telling(handler)
        self._last = last
        self._subject = subject
        # How many facts came from the present place.
        self._seen = 0

    async def follow(self, asking: Asking) -> None:
        """Ask for the next facts again and again; raises where the place is lost."""
        place = await self._place()
        self._seen = 0
        while not asking.over:
            await asking.ask(place, FACTS_MAX, ASKED_SECONDS)
            await self._take_asked(asking)
            if asking.silences == SILENCES_MAX:
                raise Lost("the server does not answer")

    async def _place(self) -> str:
        """Have the server keep our place in the stream; return what it is called."""
        if await last_of(self._stream) < self._last:
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
        return place.name

    async def _take_asked(self, asking: Asking) -> None:
        """Handle what comes until it is time to ask again."""
        ask_at = time.monotonic() + ASK_EVERY_SECONDS
        for _ in range(FACTS_MAX):
            message = await asking.next(ask_at - time.monotonic())
            if message is None:
                return
            await self._take(message)

    async def _take(self, message: Msg) -> None:
        sequence = message.metadata.sequence
        if sequence.consumer != self._seen + 1:
            raise Lost("a fact was lost on its way")
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
