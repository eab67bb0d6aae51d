"""Tell the other services what somebody may do from now on."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from sidetone.bus import Bus
from sidetone.chat.domain.channel import Membership
from sidetone.permissions import Permission
from sidetone.protocol.events import RightsChanged

_BATCH = 100


@dataclass(frozen=True, slots=True)
class AnnounceRights:
    """Publish rights in voice channels, where they must hold for calls that are going on.

    The change is stored before: an announcement of rights that were then not stored would close
    calls that nobody meant to close. Inboxes are bounded, so a change that touches thousands lets
    the listeners work between batches.
    """

    bus: Bus

    async def __call__(self, memberships: Iterable[Membership]) -> None:
        """Announce each membership as it is now."""
        await self._publish((m, m.permissions) for m in memberships)

    async def nothing_left(self, memberships: Iterable[Membership]) -> None:
        """Announce that these memberships are over."""
        await self._publish((m, Permission.NONE) for m in memberships)

    async def _publish(self, rights: Iterable[tuple[Membership, Permission]]) -> None:
        facts = (
            RightsChanged(m.channel.id, m.user, int(permissions), m.generation)
            for m, permissions in rights
            if m.channel.kind == "voice"
        )
        while batch := list(islice(facts, _BATCH)):
            for fact in batch:
                await self.bus.publish(fact)
            await asyncio.sleep(0)
