"""Answer the question on which every call rests."""

from dataclasses import dataclass

from sidetone.chat.application.ports import Servers
from sidetone.chat.domain.channel import unknown_channel
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import ChannelRights


@dataclass(frozen=True, slots=True)
class WhatMayUserDo:
    """Return a user's permissions in a channel, with the generation that they belong to."""

    servers: Servers

    async def __call__(self, user: UserId, channel: ChannelId) -> ChannelRights:
        """Return the rights. Raises ``NotFound`` where the user may not know of the channel."""
        membership = await self.servers.membership(channel, user)
        if not membership.sees:
            raise unknown_channel()
        return ChannelRights(int(membership.permissions), membership.generation)
