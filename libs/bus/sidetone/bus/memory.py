"""The bus of a single process, with the manners of NATS: in order, isolated, lossy under load."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from sidetone.bus import Unsubscribe
from sidetone.bus.answers import Answerer, answer_in_time, nobody_answers
from sidetone.bus.inbox import Inbox
from sidetone.bus.tasks import Tasks
from sidetone.protocol.events import Event
from sidetone.protocol.questions import Question

A = TypeVar("A")
E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Question[Any])


class MemoryBus:
    """Each subscription has an inbox and a task, so that none can delay or break another."""

    def __init__(self) -> None:
        self._inboxes: defaultdict[str, list[Inbox[Any]]] = defaultdict(list)
        self._deliveries = Tasks()
        self._answerers: dict[str, Answerer] = {}

    async def publish(self, event: Event) -> None:
        """Announce *event*; a subscriber that cannot keep up misses it."""
        for inbox in self._inboxes[event.subject]:
            inbox.offer(event)

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
