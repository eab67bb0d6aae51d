"""A follower whose place in the stream the server keeps, so that it outlives the process."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from sidetone.bus.answers import UNREADABLE
from sidetone.bus.facts_stream import STREAM
from sidetone.bus.following import Telling
from sidetone.bus.line import Asking
from sidetone.protocol.events import Fact

# A fact is told to another follower of the same name when the one that has it was silent so long.
SILENT_SECONDS: Final = 5.0
# One that works on it says so, and at most so long.
WORK_SECONDS: Final = 30.0
ASKED_SECONDS: Final = 5.0
# How often it says so in the time in which it may be silent.
_SAID_TIMES: Final = 3

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
                ack_wait=SILENT_SECONDS,
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
            async with _worked_on(message):
                await self._take(message)
            await message.ack()

    async def _take(self, message: Msg) -> None:
        try:
            fact = msgspec.msgpack.decode(message.data, type=Fact)
        except UNREADABLE as error:
            log.warning("fact_malformed", subject=message.subject, error=str(error))
            return
        await self._tell(fact, message.metadata.num_pending)


@asynccontextmanager
async def _worked_on(message: Msg) -> AsyncGenerator[None]:
    """Let the server know that somebody works on *message*, for the length of the block."""

    async def say_so() -> None:
        for _ in range(int(WORK_SECONDS / SILENT_SECONDS * _SAID_TIMES)):
            await asyncio.sleep(SILENT_SECONDS / _SAID_TIMES)
            with suppress(Error):
                await message.in_progress()

    saying = asyncio.create_task(say_so())
    try:
        yield
    finally:
        saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
