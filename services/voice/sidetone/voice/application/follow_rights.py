"""Carry every change of what users may do in calls to the forwarding units."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from sidetone.bus import Bus
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.events import Fact, RightsChanged, ServerChanged, VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import NotFound, Unavailable
from sidetone.protocol.servers import Member
from sidetone.runtime.clock import Clock
from sidetone.voice.application.places import Places
from sidetone.voice.application.ports import Watermarks
from sidetone.voice.domain.rights import perms_of

_BATCH = 200
_TALKING = frozenset({"voice", "direct"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FollowRights:
    """Store each change as a watermark, then tell the units.

    In this order, so that a unit that is briefed at the same moment misses nothing. When the
    database is down the units are told all the same, since closing a call matters more than
    remembering that it was closed; the journal tells the fact again until it is stored.
    """

    places: Places
    watermarks: Watermarks
    bus: Bus
    clock: Clock

    async def __call__(self, fact: Fact) -> None:
        """Hear one fact of the journal. Raises ``Unavailable``: it comes again."""
        match fact.event:
            case RightsChanged():
                await self._carry(await self._of_permissions(fact.event))
            case ServerChanged():
                await self._carry(await self._of_server(fact.event))
            case _:
                pass

    async def _of_permissions(self, change: RightsChanged) -> list[VoiceRights]:
        members = await self._members(change.channel)
        return [
            VoiceRights(
                change.channel,
                user,
                int(perms_of(Permission(permissions), members.get(user))),
                change.generation,
            )
            for user, permissions in change.permissions.items()
        ]

    async def _members(self, channel: ChannelId) -> dict[UserId, Member]:
        try:
            community = await self.places.community_of(channel)
        except NotFound:
            return {}
        return {UserId(user): member for user, member in community.members.items()}

    async def _of_server(self, change: ServerChanged) -> list[VoiceRights]:
        """Return what follows from members who were deafened, or are not any more.

        Everything else that changes rights is told by chat in a fact of its own.
        """
        communities = self.places.communities
        held = communities.held(change.server)
        before = {member.user: _deafened(held, member.user) for member in change.members}
        await communities.hear(change)
        decided = [
            member.user for member in change.members if before[member.user] != member.deafened
        ]
        return await self._of_members(change, decided) if decided else []

    async def _of_members(
        self, change: ServerChanged, users: Sequence[UserId]
    ) -> list[VoiceRights]:
        try:
            community = await self.places.communities.get(change.server)
        except NotFound:
            return []
        now_ms = self.clock.now_ms()
        talking = [each.id for each in community.channels.values() if each.kind in _TALKING]
        return [
            VoiceRights(
                channel,
                user,
                int(
                    perms_of(
                        community.permissions(user, channel, now_ms), community.members.get(user)
                    )
                ),
                change.generation,
            )
            for user in users
            for channel in talking
        ]

    async def _carry(self, rights: Sequence[VoiceRights]) -> None:
        for start in range(0, len(rights), _BATCH):
            batch = rights[start : start + _BATCH]
            try:
                raised = await self.watermarks.raise_to(batch, self.clock.now_ms())
            except Unavailable as unavailable:
                log.warning("watermarks_wait", code=unavailable.code, count=len(rights) - start)
                for one in rights[start:]:
                    await self.bus.publish(one)
                raise
            for one in raised:
                await self.bus.publish(one)


def _deafened(community: Community | None, user: UserId) -> bool:
    """Return whether a moderator deafened *user*, as far as it was known."""
    member = community.members.get(user) if community is not None else None
    return member is not None and member.deafened
