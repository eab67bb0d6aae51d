"""Channels and servers from memory, read from the database when they are asked for first."""

from collections import OrderedDict

from sidetone.chat.application.ports import Servers
from sidetone.chat.domain.channel import unknown_channel
from sidetone.community import Community
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.refusals import NotFound
from sidetone.protocol.servers import Channel
from sidetone.runtime.communities import Communities

_REMEMBERED_MAX = 100_000


class HeldPlaces:
    """Remembers in which server a channel is: it never moves to another."""

    def __init__(self, communities: Communities, servers: Servers) -> None:
        self._communities = communities
        self._servers = servers
        self._homes: OrderedDict[ChannelId, ServerId] = OrderedDict()

    async def find(self, channel: ChannelId) -> tuple[Community, Channel]:
        """Return the channel, an archived thread too, in its community. Raises ``NotFound``."""
        community = await self._home(channel)
        found = community.channels.get(channel)
        if found is not None:
            return community, found
        stored = await self._servers.channel(channel)
        if not stored.archived:
            # It was made elsewhere, and the announcement is still under way.
            await self.refresh(stored.server)
            community = await self._communities.get(stored.server)
        return community, stored

    async def community(self, server: ServerId) -> Community:
        """Return the community. Raises ``NotFound``."""
        return await self._communities.get(server)

    async def catch_up(self, community: Community) -> bool:
        """Return whether *community* is out of date; then it has been read anew."""
        server = community.server.id
        try:
            if await self._servers.generation(server) == community.generation:
                return False
            await self.refresh(server)
        except NotFound:
            self._communities.forget(server)
        return True

    async def refresh(self, server: ServerId) -> None:
        """Read the community anew: it has changed, and we have not heard of it yet."""
        self._communities.forget(server)
        await self._communities.get(server)

    async def _home(self, channel: ChannelId) -> Community:
        home = self._homes.get(channel)
        if home is None:
            home = (await self._servers.channel(channel)).server
            self._homes[channel] = home
            if len(self._homes) > _REMEMBERED_MAX:
                self._homes.popitem(last=False)
        try:
            return await self._communities.get(home)
        except NotFound:
            raise unknown_channel() from None
