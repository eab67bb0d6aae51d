"""See who belongs to a server."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.chat.application.ports import Servers
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import Member


@dataclass(frozen=True, slots=True)
class ListMembers:
    """Return the members of a server, to its members."""

    servers: Servers

    async def __call__(self, server: ServerId, user: UserId) -> Sequence[Member]:
        """Return all members, longest there first. Raises ``NotFound``."""
        await self.servers.standing(server, user)
        return await self.servers.members(server)
