"""Where a channel is: its community from memory."""

from typing import Protocol

from sidetone.community import Community
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.servers import Channel


class Places(Protocol):
    """Communities by what is in them."""

    async def find(self, channel: ChannelId) -> tuple[Community, Channel]:
        """Return the channel, an archived thread too, in its community. Raises ``NotFound``."""
        ...

    async def community(self, server: ServerId) -> Community:
        """Return the community. Raises ``NotFound``."""
        ...

    async def catch_up(self, community: Community) -> bool:
        """Return whether *community* is out of date; then it has been read anew."""
        ...

    async def refresh(self, server: ServerId) -> None:
        """Read the community anew: it has changed, and we have not heard of it yet."""
        ...
