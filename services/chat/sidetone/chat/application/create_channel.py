"""Add a place to a server."""

from dataclasses import dataclass

from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.name import checked_name
from sidetone.chat.domain.server import CHANNELS_MAX, require_room_for_one_more
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel, ChannelKind
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class CreateChannel:
    """Add a channel that all members see.

    Nobody is told of new rights: there can be no ticket yet for a channel that did not exist.
    """

    changes: Changes
    clock: Clock

    async def __call__(
        self, server: ServerId, user: UserId, name: str, kind: ChannelKind
    ) -> Channel:
        """Return the new channel. Raises ``Refusal``."""
        channel = Channel(ChannelId(self.clock.new_id()), server, checked_name(name), kind)
        async with self.changes.of(server) as change:
            standing = await change.servers.standing(server, user)
            standing.require(Permission.MANAGE_CHANNELS)
            require_room_for_one_more(await change.count_channels(), CHANNELS_MAX, "channels")
            await change.add_channel(channel)
        return channel
