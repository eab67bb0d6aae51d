"""A follower whose place in the stream the server keeps, so that it outlives the process."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from sidetone.bus.answers import UNREADABLE
from sidetone.bus.following import Telling
from sidetone.protocol.events import Fact

# How long a fact may be worked on before it is told to another follower of the same name.
WORK_SECONDS = 30.0
ASKED_SECONDS = 5.0
RETRY_SECONDS = 0.5

log = structlog.get_logger(__name__)


class KeptFollower:
    """One of those who share a place; the next fact comes when the one before is confirmed."""

    def __init__(
        self,
        stream: JetStreamContext,
        name: str,
        place: str,
        handler: Callable[[Fact], Awaitable[None]],
    ) -> None:
        self._stream = stream
        self._name = name
        self._place = place
        self._tell = Telling(handler)
        self._ended = False

    @classmethod
    async def open(
        cls,
        stream: JetStreamContext,
        name: str,
        place: str,
        handler: Callable[[Fact], Awaitable[None]],
    ) -> "KeptFollower":
        """Return a follower of stream *name* at *place*, which begins now if it is new.

        Raises what the client raises.
        """
        follower = cls(stream, name, place, handler)
        await follower._keep_place()
        return follower

    def end(self) -> None:
        """Start no further call of the handler; one that is running may finish."""
        self._ended = True

    async def run(self) -> None:
        """Follow until the end, also through losses of the connection and of the server."""
        while not self._ended:
            try:
                await self._follow()
            except (Error, OSError, TimeoutError) as error:
                if self._ended:
                    return
                log.info("journal_lost", reason=str(error) or type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("journal_lost")
                await asyncio.sleep(RETRY_SECONDS)

    async def _keep_place(self) -> None:
        """Have the server keep the place; one that it keeps already stays where it is."""
        await self._stream.add_consumer(  # pyright: ignore[reportUnknownMemberType]
            self._name,
            ConsumerConfig(
                name=self._place,
                durable_name=self._place,
                deliver_policy=DeliverPolicy.NEW,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=WORK_SECONDS,
                max_ack_pending=1,
            ),
        )

    async def _follow(self) -> None:
        await self._keep_place()
        place = await self._stream.pull_subscribe_bind(consumer=self._place, stream=self._name)
        try:
            while not self._ended:
                try:
                    (message,) = await place.fetch(1, timeout=ASKED_SECONDS)
                except TimeoutError:
                    # Another server may stand in this one's place, and know of no place of ours.
                    await self._keep_place()
                    continue
                await self._take(message)
                await message.ack()
        finally:
            await place.unsubscribe()

    async def _take(self, message: Msg) -> None:
        try:
            fact = msgspec.msgpack.decode(message.data, type=Fact)
        except UNREADABLE as error:
            log.warning("fact_malformed", subject=message.subject, error=str(error))
            return
        await self._tell(fact, message.metadata.num_pending)
