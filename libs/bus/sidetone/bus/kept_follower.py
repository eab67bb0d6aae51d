"""A follower whose place in the stream the server keeps, so that it outlives the process."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from sidetone.bus.answers import UNREADABLE
from sidetone.bus.facts_stream import STREAM
from sidetone.bus.following import Telling
from sidetone.bus.line import Asking
from sidetone.protocol.events import Fact

# How long a fact may be worked on before it is told to another follower of the same name.
WORK_SECONDS: Final = 30.0
ASKED_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class KeptFollower:
    """One of those who share a place; the next fact comes when the one before is confirmed."""

    def __init__(
        self, stream: JetStreamContext, place: str, handler: Callable[[Fact], Awaitable[None]]
    ) -> None:
        self._stream = stream
        self._place = place
        self._tell = Telling(handler)

    async def keep_place(self) -> None:
        """Have the server keep the place, which begins now if it is new, and else stays."""
        await self._stream.add_consumer(  # pyright: ignore[reportUnknownMemberType]
            STREAM,
            ConsumerConfig(
                name=self._place,
                durable_name=self._place,
                deliver_policy=DeliverPolicy.NEW,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=WORK_SECONDS,
                max_ack_pending=1,
            ),
        )

    async def follow(self, asking: Asking) -> None:
        """Ask for one fact after the other; raises where the place is lost."""
        while not asking.over:
            # Another server may stand in this one's place, and know of no place of ours.
            await self.keep_place()
            await self._take_all(asking)

    async def _take_all(self, asking: Asking) -> None:
        """Handle what comes until nothing does."""
        while not asking.over:
            await asking.ask(self._place, 1, ASKED_SECONDS)
            message = await asking.next(ASKED_SECONDS)
            if message is None:
                return
            await self._take(message)
            await message.ack()

    async def _take(self, message: Msg) -> None:
        try:
            fact = msgspec.msgpack.decode(message.data, type=Fact)
        except UNREADABLE as error:
            log.warning("fact_malformed", subject=message.subject, error=str(error))
            return
        await self._tell(fact, message.metadata.num_pending)
