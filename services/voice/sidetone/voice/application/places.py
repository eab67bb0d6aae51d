"""Where a channel belongs, and how its server stands: asked of chat once, then followed."""

from collections import OrderedDict

from sidetone.bus import Bus
from sidetone.community import Community
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.questions import DescribeChannel
from sidetone.runtime.communities import Communities

CHANNELS_MAX = 20_000


class Places:
    """The servers of channels; of those that are not in use the oldest are forgotten."""

    def __init__(self, bus: Bus, communities: Communities) -> None:
        self.communities = communities
        self._bus = bus
        self._servers: OrderedDict[ChannelId, ServerId] = OrderedDict()

    async def server_of(self, channel: ChannelId) -> ServerId:
        """Return the server of *channel*. Raises ``NotFound`` or ``Unavailable``."""
        server = self._servers.get(channel)
        if server is None:
            server = (await self._bus.ask(DescribeChannel(channel))).server.id
            self._servers[channel] = server
            while len(self._servers) > CHANNELS_MAX:
                self._servers.popitem(last=False)
        return server

    async def community_of(self, channel: ChannelId, generation: int = 0) -> Community:
        """Return the server of *channel* as it stands at *generation* or later.

        Raises ``NotFound`` or ``Unavailable``.
        """
        server = await self.server_of(channel)
        community = await self.communities.get(server)
        if community.generation < generation:
            self.communities.forget(server)
            community = await self.communities.get(server)
        return community
