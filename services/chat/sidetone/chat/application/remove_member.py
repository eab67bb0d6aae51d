"""Leave a server, or put somebody out."""

from dataclasses import dataclass

from sidetone.chat.application.announce_rights import AnnounceRights
from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.server import unknown_member
from sidetone.protocol.ids import ServerId, UserId


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """End a membership, and with it the member's calls in the server."""

    changes: Changes
    announce: AnnounceRights

    async def __call__(self, server: ServerId, user: UserId, member: UserId) -> None:
        """Let *user* remove *member*, or themselves. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            standing = await change.servers.standing(server, user)
            standing.require_may_remove(member)
            lost = await change.servers.memberships_of(server, member)
            if not await change.remove_member(member):
                raise unknown_member()
        await self.announce.nothing_left(lost)
