"""See the places of a server."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.chat.application.ports import Servers
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import Channel


@dataclass(frozen=True, slots=True)
class ListChannels:
    """Return the channels that exist for a member."""

    servers: Servers

    async def __call__(self, server: ServerId, user: UserId) -> Sequence[Channel]:
        """Return the visible channels, oldest first. Raises ``NotFound``."""
        await self.servers.standing(server, user)
        memberships = await self.servers.memberships_of(server, user)
        return [membership.channel for membership in memberships if membership.sees]
