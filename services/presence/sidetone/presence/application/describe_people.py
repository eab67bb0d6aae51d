"""Answer other services: who is what to a user, and who is there."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.presence.application.change_relationship import Bounds
from sidetone.presence.application.ports import Relations, Sessions, Wishes
from sidetone.presence.domain.status import own
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import MANY_MAX, Contact, People
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.social import Presence
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class DescribePeople:
    """What a session begins with, and what others decide by."""

    relations: Relations
    wishes: Wishes
    sessions: Sessions
    clock: Clock
    bounds: Bounds

    async def people_of(self, user: UserId) -> People:
        """Return all relationships of *user*, and how they themselves are there."""
        bounds = self.bounds
        at_most = (
            bounds.friends_max + bounds.outgoing_max + bounds.incoming_max + bounds.blocked_max
        )
        relationships = await self.relations.of(user, None, at_most)
        wish, _ = await self.wishes.of(user)
        return People(relationships, own(user, wish.at(self.clock.now_ms())))

    async def presences_of(self, users: Sequence[UserId]) -> list[Presence]:
        """Return how those of *users* are seen who are not offline. Raises ``Invalid``."""
        _check_many(users)
        return await self.sessions.shown_of(users)

    async def may_contact(self, user: UserId, others: Sequence[UserId]) -> dict[UserId, Contact]:
        """Return what stands between *user* and each of *others*. Raises ``Invalid``."""
        _check_many(others)
        return await self.relations.contacts(user, others)


def _check_many(users: Sequence[UserId]) -> None:
    if len(users) > MANY_MAX:
        raise Invalid("too_many", f"ask for at most {MANY_MAX} users at once")
