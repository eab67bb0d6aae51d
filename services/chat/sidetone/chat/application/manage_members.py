"""Look after the people of a server."""

from dataclasses import dataclass
from uuid import UUID

import msgspec
from msgspec import UNSET

from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.draft import Draft
from sidetone.chat.domain.member import checked_nickname, checked_reason, checked_timeout
from sidetone.chat.domain.standing import Standing
from sidetone.chat.domain.version import require_version
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden
from sidetone.protocol.servers import Channel, EditMember, Member


@dataclass(frozen=True, slots=True)
class ManageMembers:
    """Name, silence and remove members."""

    changes: Changes

    async def edit(
        self,
        server: ServerId,
        user: UserId,
        member: UserId,
        wish: EditMember,
        version: int | None = None,
    ) -> Member:
        """Return *member* with what *wish* changes. Raises ``Refusal``."""
        reason = checked_reason(wish.reason)
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            before = standing.member(member)
            _require_may_edit(standing, member, wish)
            require_version(before, version)
            after = _edited(before, wish, draft.now_ms)
            if after != before:
                draft.put(after)
                draft.note(user, "member.edit", member, before, after, reason)
        return after

    async def remove(
        self, server: ServerId, user: UserId, member: UserId, reason: str = ""
    ) -> None:
        """Kick *member*; leaving is free. Raises ``Refusal``."""
        why = checked_reason(reason)
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            before = standing.member(member)
            if member == draft.before.owner:
                raise Forbidden(
                    "owner_stays", "the owner cannot leave: transfer or delete the server first"
                )
            if draft.before.server.kind != "community":
                raise Conflict("conversation_otherwise", "leave it at /chat/conversations")
            if member != user:
                standing.require(Permission.KICK_MEMBERS)
                standing.require_above(member)
            let_go(draft, member)
            action = "member.leave" if member == user else "member.kick"
            draft.note(user, action, member, before, reason=why)


def let_go(draft: Draft, member: UserId) -> None:
    """Remove *member* with what channels allowed them.

    What channels denied them stays: leaving and coming back sheds no denial.
    """
    draft.drop(member)
    for channel in draft.before.channels.values():
        if any(each.subject == member and each.allow for each in channel.overwrites):
            draft.put(_without_allowance(channel, member))


def _without_allowance(channel: Channel, member: UUID) -> Channel:
    kept = [
        msgspec.structs.replace(each, allow=0) if each.subject == member else each
        for each in channel.overwrites
    ]
    return msgspec.structs.replace(
        channel, overwrites=[each for each in kept if each.allow or each.deny]
    )


def _require_may_edit(standing: Standing, member: UserId, wish: EditMember) -> None:
    needed = Permission.NONE
    if wish.timeout_until_ms is not UNSET:
        needed |= Permission.MODERATE_MEMBERS
    if wish.muted is not UNSET:
        needed |= Permission.MUTE_MEMBERS
    if wish.deafened is not UNSET:
        needed |= Permission.DEAFEN_MEMBERS
    if wish.nickname is not UNSET and member != standing.user:
        needed |= Permission.MANAGE_NICKNAMES
    if needed:
        standing.require(needed)
        standing.require_above(member)
    if wish.nickname is not UNSET and member == standing.user:
        standing.require(Permission.CHANGE_NICKNAME)


def _edited(member: Member, wish: EditMember, now_ms: int) -> Member:
    until_ms = wish.timeout_until_ms
    return msgspec.structs.replace(
        member,
        nickname=member.nickname if wish.nickname is UNSET else checked_nickname(wish.nickname),
        timeout_until_ms=member.timeout_until_ms
        if until_ms is UNSET
        else checked_timeout(until_ms, now_ms),
        muted=member.muted if wish.muted is UNSET else wish.muted,
        deafened=member.deafened if wish.deafened is UNSET else wish.deafened,
    )
