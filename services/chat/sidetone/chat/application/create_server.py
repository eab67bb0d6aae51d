"""Found a community."""

from dataclasses import dataclass

from sidetone.chat.application.ports import Changes, Servers
from sidetone.chat.domain.name import checked_name
from sidetone.chat.domain.server import SERVERS_MAX, require_room_for_one_more
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel, Server
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class CreateServer:
    """Make a server that can be used at once: one place to write, one to talk."""

    servers: Servers
    changes: Changes
    clock: Clock

    async def __call__(self, owner: UserId, name: str) -> Server:
        """Return the new server. Raises ``Refusal``."""
        server = Server(ServerId(self.clock.new_id()), checked_name(name), owner)
        require_room_for_one_more(len(await self.servers.of(owner)), SERVERS_MAX, "servers")
        channels = [
            Channel(ChannelId(self.clock.new_id()), server.id, "general", "text"),
            Channel(ChannelId(self.clock.new_id()), server.id, "Lounge", "voice"),
        ]
        await self.changes.create(server, channels, self.clock.now_ms())
        return server
