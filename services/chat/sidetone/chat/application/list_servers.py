"""See where one belongs."""

from collections.abc import Sequence
from dataclasses import dataclass

from sidetone.chat.application.ports import Servers
from sidetone.protocol.ids import UserId
from sidetone.protocol.servers import Server


@dataclass(frozen=True, slots=True)
class ListServers:
    """Return the servers of a user."""

    servers: Servers

    async def __call__(self, user: UserId) -> Sequence[Server]:
        """Return the servers that *user* is a member of, oldest first."""
        return await self.servers.of(user)
