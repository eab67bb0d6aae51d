"""Announce what happens and ask questions, without knowing who else is there."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from sidetone.protocol.events import Event, Fact
from sidetone.protocol.questions import Question

A = TypeVar("A")
E = TypeVar("E", bound=Event)
Q = TypeVar("Q", bound=Question[Any])

Unsubscribe: TypeAlias = Callable[[], Awaitable[None]]


class Bus(Protocol):
    """How services talk. Events fan out at most once; a question has one answer.

    What nobody may miss is a fact, and goes through a ``Journal``.
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


class Journal(Protocol):
    """Where facts go that nobody may miss: kept, in order, and heard at least once.

    ``runtime.outbox`` writes it, after a fact was stored; followers are services, not clients.
    """

    async def record(self, facts: Sequence[Fact]) -> None:
        """Put *facts* into the journal, in this order; they are kept when this returns.

        A fact whose id the journal has seen within the last two minutes is left out. Raises
        ``Unavailable``: none, some or all of them may have been kept then, so record all again.
        """
        ...

    async def follow(
        self,
        handler: Callable[[Fact], Awaitable[None]],
        *,
        services_only: bool = False,
        place: str | None = None,
    ) -> Unsubscribe:
        """Call *handler* for each fact that is recorded from now on, one after the other.

        With *services_only* it hears those alone whose audience is ``Services``: they are few, and
        every process that takes tokens wants to know which logins have ended. With a *place* the
        followers of that name are one: each fact goes to one of them at a time, and what is
        recorded while there is none waits for the next, as long as the journal keeps it.

        Every follower gets every fact, in the order of the journal and also through a loss of the
        bus; a follower that is slow makes the journal wait for it, and misses nothing. What a
        process missed while it did not run, it reads back from storage.

        A handler that raises ``Unavailable`` is called again until it does not: what it needs may
        be away. Any other exception is its bug, which is logged and costs it that fact.
        """
        ...
