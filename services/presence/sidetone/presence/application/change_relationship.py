"""Ask, accept, block, or end what is between two users."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from sidetone.bus import Bus
from sidetone.presence.application.ports import Relations
from sidetone.presence.domain.pair import Pair, befriend, block, part
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import WhoAre
from sidetone.protocol.refusals import Conflict, Invalid, NotFound
from sidetone.protocol.social import Relationship
from sidetone.runtime.clock import Clock

Step: TypeAlias = Callable[[Pair], Pair]
# Two users who press buttons at once come after each other within a few tries.
_TRIES_MAX = 5


class Bounds(msgspec.Struct, frozen=True):
    """How many of a kind one may have; *incoming_max* is larger, so that few cannot fill it."""

    friends_max: int = 1_000
    outgoing_max: int = 100
    incoming_max: int = 1_000
    blocked_max: int = 1_000


@dataclass(frozen=True, slots=True)
class ChangeRelationship:
    """Take a step that the pair allows, within the bounds of both.

    The bounds are read before the step is stored: requests at the same moment can pass one by a
    few, and never for good.
    """

    relations: Relations
    bus: Bus
    clock: Clock
    bounds: Bounds

    async def befriend(self, me: UserId, other: UserId) -> Relationship:
        """Ask *other*, or accept what they asked. Raises ``Refusal``."""
        return await self._set(me, other, befriend)

    async def block(self, me: UserId, other: UserId) -> Relationship:
        """Let *other* reach me no more. Raises ``Refusal``."""
        return await self._set(me, other, block)

    async def part(self, me: UserId, other: UserId) -> None:
        """End what is between the two: unfriend, decline, cancel or unblock."""
        await self._step(me, other, part, self._nothing_to_check)

    async def _set(self, me: UserId, other: UserId, step: Step) -> Relationship:
        if me == other:
            raise Invalid("user_is_self", "choose somebody other than yourself")
        if not await self.bus.ask(WhoAre([other])):
            raise NotFound("user_unknown", "there is no such user")
        await self._step(me, other, step, self._check)
        found = await self.relations.one(me, other)
        if found is None:
            raise _raced()
        return found

    async def _step(
        self,
        me: UserId,
        other: UserId,
        step: Step,
        check: Callable[[UserId, UserId, Pair], Awaitable[None]],
    ) -> None:
        for _ in range(_TRIES_MAX):
            before = await self.relations.between(me, other)
            after = step(before)
            if after == before:
                return
            await check(me, other, after)
            if await self.relations.change(me, other, before, after, self.clock.now_ms()):
                return
        raise _raced()

    async def _nothing_to_check(self, me: UserId, other: UserId, after: Pair) -> None:
        """Let everything end."""

    async def _check(self, me: UserId, other: UserId, after: Pair) -> None:
        bounds = self.bounds
        if after.mine == "friend":
            await self._check_friends(me, "you have")
            await self._check_friends(other, "this user has")
        elif after.mine == "blocked":
            if await self.relations.count(me, "blocked") >= bounds.blocked_max:
                raise Conflict(
                    "blocked_full", f"you have blocked {bounds.blocked_max} users; unblock one"
                )
        elif await self.relations.count(me, "outgoing") >= bounds.outgoing_max:
            raise Conflict(
                "requests_full", f"{bounds.outgoing_max} of your requests are open; cancel one"
            )
        elif await self.relations.count(other, "incoming") >= bounds.incoming_max:
            raise Conflict("requests_full", "this user has too many open requests; try later")

    async def _check_friends(self, user: UserId, who: str) -> None:
        if await self.relations.count(user, "friend") >= self.bounds.friends_max:
            raise Conflict("friends_full", f"{who} {self.bounds.friends_max} friends already")


def _raced() -> Conflict:
    return Conflict("relationship_raced", "this changed at the same moment; look again")
