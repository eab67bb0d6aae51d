"""Come in."""

from dataclasses import dataclass

from sidetone.chat.application.announce_rights import AnnounceRights
from sidetone.chat.application.ports import Changes, Servers
from sidetone.chat.domain.invite import require_code, unknown_invite
from sidetone.chat.domain.server import MEMBERS_MAX, SERVERS_MAX, require_room_for_one_more
from sidetone.protocol.ids import UserId
from sidetone.protocol.servers import Server
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class AcceptInvite:
    """Make the holder of a code a member.

    Who is a member already gets the same answer and takes no use, so that a request whose answer
    was lost can be repeated.
    """

    servers: Servers
    changes: Changes
    announce: AnnounceRights
    clock: Clock

    async def __call__(self, code: str, user: UserId) -> Server:
        """Return the server. Raises ``NotFound`` for every code that does not work."""
        require_code(code)
        server = (await self.servers.invite(code)).server
        if await self.servers.has_member(server, user):
            return await self.servers.find(server)
        require_room_for_one_more(len(await self.servers.of(user)), SERVERS_MAX, "servers")
        now_ms = self.clock.now_ms()
        async with self.changes.of(server) as change:
            if not await change.servers.has_member(server, user):
                require_room_for_one_more(await change.count_members(), MEMBERS_MAX, "members")
                if not await change.use_invite(code, now_ms):
                    raise unknown_invite()
                await change.add_member(user, now_ms)
            joined = await change.servers.memberships_of(server, user)
            found = await change.servers.find(server)
        await self.announce(joined)
        return found
