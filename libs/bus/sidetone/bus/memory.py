"""The bus and the journal of a single process, with the manners of those on NATS."""

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

from sidetone.bus import Unsubscribe
from sidetone.bus.answers import Answerer, answer_in_time, nobody_answers
from sidetone.bus.following import REPEATS_SECONDS, Telling
from sidetone.bus.inbox import Inbox
from sidetone.bus.meters import PUBLISHED, RECORDED, asking
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Event, Fact, Services
from sidetone.protocol.ids import FactId
from sidetone.protocol.questions import Question
from sidetone.telemetry.origins import origin_now

A = TypeVar("A")
E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Question[Any])

# Facts that wait for one follower; the next one waits until there is room.
FACTS_MAX = 1_000
# Ids that are remembered to leave out repeats; the oldest are forgotten first.
IDS_MAX = 100_000


class MemoryBus:
    """Each subscription has an inbox and a task, so that none can delay or break another."""

    def __init__(self) -> None:
        self._inboxes: defaultdict[str, list[Inbox[Any]]] = defaultdict(list)
        self._deliveries = Tasks()
        self._answerers: dict[str, Answerer] = {}

    async def publish(self, event: Event) -> None:
        """Announce *event*; a subscriber that cannot keep up misses it."""
        PUBLISHED.labels(event.subject).inc()
        origin = origin_now()
        for inbox in self._inboxes[event.subject]:
            inbox.offer(event, origin)

    async def subscribe(
        self, kind: type[E], handler: Callable[[E], Awaitable[None]]
    ) -> Unsubscribe:
        """Call *handler* for each event of *kind*."""
        inbox = Inbox(kind, handler)
        self._inboxes[kind.subject].append(inbox)
        self._deliveries.start(inbox.deliver())

        async def unsubscribe() -> None:
            if inbox in self._inboxes[kind.subject]:
                self._inboxes[kind.subject].remove(inbox)
            inbox.end()

        return unsubscribe

    async def ask(self, question: Question[A]) -> A:
        """Return the answer. Raises the answerer's ``Refusal``, or ``Unavailable``."""
        with asking(question.subject):
            answerer = self._answerers.get(question.subject)
            if answerer is None:
                raise nobody_answers(question.subject)
            return cast("A", await answer_in_time(question, answerer))

    async def answer(self, kind: type[Q], answerer: Callable[[Q], Awaitable[Any]]) -> None:
        """Answer every question of *kind* from now on, in place of an earlier answerer."""
        self._answerers[kind.subject] = answerer

    async def close(self) -> None:
        """Forget subscribers and answerers, and end the handlers that still run."""
        self._inboxes.clear()
        self._answerers.clear()
        await self._deliveries.close()


class MemoryJournal:
    """Each follower has a queue; when one is full the journal waits, and with it who records."""

    def __init__(self, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._now_seconds = now_seconds
        self._followers: list[_Follower] = []
        self._deliveries = Tasks()
        self._recorded: OrderedDict[FactId, float] = OrderedDict()
        self._turn = asyncio.Lock()

    async def record(self, facts: Sequence[Fact]) -> None:
        """Put *facts* into the queue of each follower, in this order, unless they are repeats."""
        async with self._turn:
            self._forget_old()
            for fact in facts:
                if fact.id not in self._recorded:
                    for follower in tuple(self._followers):
                        if not follower.services_only or isinstance(fact.audience, Services):
                            await follower.facts.put(fact)
                    self._recorded[fact.id] = self._now_seconds()
                    RECORDED.inc()

    async def follow(
        self,
        handler: Callable[[Fact], Awaitable[None]],
        *,
        services_only: bool = False,
        place: str | None = None,  # noqa: ARG002 - the journal ends with its one process
    ) -> Unsubscribe:
        """Call *handler* for each fact that is recorded from now on, one after the other."""
        follower = _Follower(handler, services_only=services_only)
        self._followers.append(follower)
        self._deliveries.start(follower.deliver())

        async def unsubscribe() -> None:
            if follower in self._followers:
                self._followers.remove(follower)
                follower.end()

        return unsubscribe

    async def close(self) -> None:
        """End the followers; one that is at work is cut off."""
        self._followers.clear()
        await self._deliveries.close()

    def _forget_old(self) -> None:
        """Forget the ids that are too old to be repeats, and those beyond the bound."""
        oldest = self._now_seconds() - REPEATS_SECONDS
        while self._recorded:
            fact, recorded_at = next(iter(self._recorded.items()))
            if recorded_at >= oldest and len(self._recorded) <= IDS_MAX:
                return
            del self._recorded[fact]


class _Follower:
    """The facts on their way to one handler."""

    def __init__(self, handler: Callable[[Fact], Awaitable[None]], *, services_only: bool) -> None:
        self.services_only = services_only
        self.facts: asyncio.Queue[Fact | None] = asyncio.Queue(FACTS_MAX)
        self._tell = Telling(handler)
        self._ended = False

    async def deliver(self) -> None:
        """Call the handler for one fact after the other until the follower ends."""
        while not self._ended:
            fact = await self.facts.get()
            if fact is not None and not self._ended:
                await self._tell(fact, self.facts.qsize())

    def end(self) -> None:
        """Start no further call of the handler, and let go who waits for room here."""
        self._ended = True
        while not self.facts.empty():
            self.facts.get_nowait()
        self.facts.put_nowait(None)
