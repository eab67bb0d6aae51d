"""Who sees which channel: chat knows."""

from sidetone.bus import Bus
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import WhatMayUserDo
from sidetone.protocol.refusals import NotFound


class BusSight:
    """Asks chat over the bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def sees(self, user: UserId, channel: ChannelId) -> bool:
        """Return whether *user* sees *channel*. Raises ``Unavailable`` while chat is away."""
        try:
            rights = await self._bus.ask(WhatMayUserDo(user, channel))
        except NotFound:
            return False
        return Permission.VIEW_CHANNEL in Permission(rights.permissions)
