"""Announce facts and ask questions, without knowing who else is there."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias, TypeVar

from sidetone.protocol.events import Event
from sidetone.protocol.questions import Question

A = TypeVar("A")
E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Question[Any])

Unsubscribe: TypeAlias = Callable[[], Awaitable[None]]


class Bus(Protocol):
    """How services talk. Facts fan out at most once; a question has one answer.

    Whoever must not miss a fact reads it back from storage.
    """

    async def publish(self, event: Event) -> None:
        """Announce *event* to everyone who follows its kind at this moment."""
        ...

    async def subscribe(
        self, kind: type[E], handler: Callable[[E], Awaitable[None]]
    ) -> Unsubscribe:
        """Call *handler* for each event of *kind* until the returned function is awaited."""
        ...

    async def ask(self, question: Question[A]) -> A:
        """Return the answer. Raises the answerer's ``Refusal``, or ``Unavailable``."""
        ...

    async def answer(self, kind: type[Q], answerer: Callable[[Q], Awaitable[Any]]) -> None:
        """Answer every question of *kind* from now on."""
        ...
