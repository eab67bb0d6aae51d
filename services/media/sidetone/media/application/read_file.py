"""Hand out a file to who may see it."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TypeAlias

from sidetone.media.application.ports import ChannelSight, Contents, Holdings, Part
from sidetone.media.domain.holding import Holding, unknown_file
from sidetone.protocol.ids import ChannelId, FileId, UserId
from sidetone.runtime.clock import Clock

# A page of pictures asks chat once; who lost a channel may read its files for so much longer.
# That somebody sees nothing is not remembered: who has just joined would wait.
_SIGHT_REMEMBERED_MS = 10_000
_SIGHTS_MAX = 10_000

# Until when it is believed that a user sees a channel.
_Sights: TypeAlias = OrderedDict[tuple[UserId, ChannelId], int]


def _no_sights() -> _Sights:
    return OrderedDict()


@dataclass(frozen=True, slots=True)
class ReadFile:
    """Find a file that the asker may read.

    An attachment may be read by who sees its channel; avatars, icons and emoji by everybody who
    has an account. What nobody uses yet is its owner's alone.
    """

    holdings: Holdings
    contents: Contents
    sight: ChannelSight
    clock: Clock
    remembered: _Sights = field(default_factory=_no_sights)

    async def __call__(self, user: UserId, file: FileId, part: Part) -> Holding:
        """Return the file. Raises ``NotFound``, also for what *user* may not see."""
        holding = await self.holdings.find(file)
        if part == "preview" and not holding.is_picture:
            raise unknown_file()
        if not await self._may_read(user, holding):
            raise unknown_file()
        return holding

    async def _may_read(self, user: UserId, holding: Holding) -> bool:
        if holding.state == "ready":
            return holding.owner == user
        if holding.state != "claimed":
            return False
        return holding.channel is None or await self._sees(user, holding.channel)

    async def _sees(self, user: UserId, channel: ChannelId) -> bool:
        now_ms = self.clock.now_ms()
        if now_ms < self.remembered.get((user, channel), 0):
            return True
        self.remembered.pop((user, channel), None)
        if not await self.sight.sees(user, channel):
            return False
        self.remembered[user, channel] = now_ms + _SIGHT_REMEMBERED_MS
        if len(self.remembered) > _SIGHTS_MAX:
            self.remembered.popitem(last=False)
        return True
