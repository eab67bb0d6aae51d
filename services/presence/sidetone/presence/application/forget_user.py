"""Forget what was the own of somebody whose account is closed."""

from dataclasses import dataclass

from sidetone.presence.application.ports import Relations, Wishes
from sidetone.protocol.events import AccountClosed, Fact


@dataclass(frozen=True, slots=True)
class ForgetUser:
    """End their relationships, telling the others, and forget how they wished to be seen."""

    relations: Relations
    wishes: Wishes

    async def __call__(self, fact: Fact) -> None:
        """Hear one fact of the journal. Raises ``Unavailable``: it comes again."""
        if isinstance(fact.event, AccountClosed):
            await self.relations.forget(fact.event.user)
            await self.wishes.forget(fact.event.user)
