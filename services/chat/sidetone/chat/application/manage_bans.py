"""Keep people out."""

from dataclasses import dataclass

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.manage_members import let_go
from sidetone.chat.application.ports import Bans, Changes, RecentMessages
from sidetone.chat.domain.member import (
    BANS_MAX,
    checked_deletion_seconds,
    checked_reason,
    unknown_ban,
)
from sidetone.chat.domain.server import require_room_for_one_more
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import Forbidden
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Ban, BanMember


@dataclass(frozen=True, slots=True)
class ManageBans:
    """Ban, also who is not in the server, and lift bans."""

    bans: Bans
    changes: Changes
    enter_server: EnterServer
    messages: RecentMessages

    async def ban(self, server: ServerId, user: UserId, member: UserId, wish: BanMember) -> Ban:
        """Return the ban of *member*, who is out of the server from now on. Raises ``Refusal``.

        What they wrote lately goes after the ban: if that fails, the ban holds, and the same
        request deletes it once more.
        """
        seconds = checked_deletion_seconds(wish.delete_messages_seconds)
        reason = checked_reason(wish.reason)
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            standing.require(Permission.BAN_MEMBERS)
            if member == user:
                raise Forbidden("member_above", "you cannot ban yourself; leave instead")
            standing.require_above(member)
            ban = Ban(member, user, reason, draft.now_ms)
            if await change.bans.find(server, member) is None:
                count = await change.bans.count(server)
                require_room_for_one_more(count, BANS_MAX, "bans")
            await change.bans.put(server, ban)
            if member in draft.before.members:
                let_go(draft, member)
            draft.note(user, "member.ban", member, reason=reason)
        if seconds:
            await self.messages.remove(server, member, ban.banned_at_ms - seconds * 1_000)
        return ban

    async def unban(self, server: ServerId, user: UserId, member: UserId) -> None:
        """Lift the ban of *member*. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            draft.standing(user).require(Permission.BAN_MEMBERS)
            if not await change.bans.remove(server, member):
                raise unknown_ban()
            draft.note(user, "member.unban", member)

    async def of(
        self, server: ServerId, user: UserId, cursor: UserId | None, limit: int
    ) -> Page[Ban]:
        """Return who is banned. Raises ``Refusal``."""
        await self.enter_server(user, server, Permission.BAN_MEMBERS)
        return await self.bans.of(server, cursor, limit)
