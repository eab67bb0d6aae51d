"""Take away what somebody wrote lately."""

from dataclasses import dataclass

from sidetone.chat.application.messages import Messages
from sidetone.chat.application.places import Places
from sidetone.chat.domain.reading import id_at
from sidetone.protocol.ids import ChannelId, ServerId, UserId

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class RemoveRecent:
    """For moderators who ban a flood's author; the caller has decided that it may be done."""

    places: Places
    messages: Messages

    async def remove(self, server: ServerId, author: UserId, since_ms: int) -> None:
        """Delete what *author* wrote in *server* since then, a hundred at a time.

        Raises ``Unavailable``: what was deleted stays so, and asking again goes on.
        """
        community = await self.places.community(server)
        for channel in list(community.channels.values()):
            await self._clear(server, channel.id, author, since_ms)

    async def _clear(
        self, server: ServerId, channel: ChannelId, author: UserId, since_ms: int
    ) -> None:
        while written := await self.messages.written_by(
            channel, author, id_at(since_ms), _AT_ONCE
        ):
            async with self.messages.change(server, channel) as change:
                await change.remove(await change.find_all(written))
