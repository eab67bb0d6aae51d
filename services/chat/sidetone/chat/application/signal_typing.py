"""Say that somebody is writing."""

from dataclasses import dataclass

from sidetone.bus import Bus
from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.permissions import Permission
from sidetone.protocol.events import InChannel, Signal, TypingStarted
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True, slots=True)
class SignalTyping:
    """Tell who sees the channel; nothing is stored, and a lost one does no harm."""

    enter: EnterChannel
    bus: Bus
    pace: Limiter

    async def __call__(self, user: UserId, channel: ChannelId) -> None:
        """Tell that *user* is writing in *channel*. Raises ``Refusal``."""
        await self.pace.take(f"{channel.hex}{user.hex}")
        place = await self.enter(user, channel)
        place.require_writable()
        place.require(Permission.SEND_MESSAGES)
        audience = InChannel(place.community.server.id, channel)
        await self.bus.publish(Signal(audience, TypingStarted(channel, user)))
