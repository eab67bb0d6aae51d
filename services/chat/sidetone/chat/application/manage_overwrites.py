"""Allow or deny abilities in one channel."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import msgspec

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.channel import OVERWRITES_MAX, checked_level, overwrite_of
from sidetone.chat.domain.member import unknown_member
from sidetone.chat.domain.place import Place
from sidetone.chat.domain.server import require_room_for_one_more
from sidetone.chat.domain.standing import Standing, require_holds
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden
from sidetone.protocol.servers import Channel, Overwrite, SetOverwrite


@dataclass(frozen=True, slots=True)
class ManageOverwrites:
    """Replace what a channel allows and denies to everyone, to a role, or to one member."""

    enter: EnterChannel
    changes: Changes

    async def put(
        self, channel: ChannelId, user: UserId, subject: UUID | None, wish: SetOverwrite
    ) -> None:
        """Let *user* set the overwrite of *subject*; None: everyone. Raises ``Refusal``."""
        server = (await self.enter(user, channel)).community.server.id
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            place = standing.in_channel(channel)
            place.require(Permission.MANAGE_PERMISSIONS)
            subject = subject or server
            kind = _require_may_touch(standing, place, subject)
            before = overwrite_of(place.channel, subject)
            level = checked_level(place.channel.kind, wish.allow, wish.deny)
            after = Overwrite(subject, kind, int(level.allow), int(level.deny))
            require_holds(place.permissions, _changed(before, after))
            if after != before:
                changed = _with(
                    place.channel, subject, after if level.allow or level.deny else None
                )
                draft.put(changed)
                draft.note(user, "overwrite.set", channel, before, after)


def _require_may_touch(
    standing: Standing, place: Place, subject: UUID
) -> Literal["role", "member"]:
    """Refuse to touch who stands higher; return what *subject* is. Raises ``NotFound``."""
    community = standing.community
    if place.channel.kind in {"thread", "direct"}:
        raise Conflict("channel_follows", "a thread is open to whom its channel is open")
    role = community.roles.get(subject)
    if role is not None:
        if role.position > standing.rank:
            raise Forbidden("role_above", "this role stands above your own highest role")
        return "role"
    if subject not in community.members:
        raise unknown_member()
    if subject == community.owner:
        raise Forbidden("owner_above_overwrites", "what the owner may do cannot be changed")
    if community.rank(UserId(subject)) > standing.rank:
        raise Forbidden("member_above", "they stand higher than you in this server")
    return "member"


def _changed(before: Overwrite | None, after: Overwrite) -> Permission:
    """Return every bit that differs, in either mask."""
    allow, deny = (before.allow, before.deny) if before else (0, 0)
    return Permission((allow ^ after.allow) | (deny ^ after.deny))


def _with(channel: Channel, subject: UUID, overwrite: Overwrite | None) -> Channel:
    others = [each for each in channel.overwrites if each.subject != subject]
    if overwrite is not None:
        require_room_for_one_more(len(others), OVERWRITES_MAX, "overwrites")
        others.append(overwrite)
    return msgspec.structs.replace(channel, overwrites=others)
