"""Know how far one has read."""

from dataclasses import dataclass

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.places import Places
from sidetone.chat.application.ports import Servers
from sidetone.chat.application.read_marks import ReadMarks
from sidetone.chat.domain.reading import Reading, id_at, reading_of, readings_of
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.messages import MarkRead, ReadState
from sidetone.protocol.refusals import Conflict, NotFound
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class TrackReading:
    """Move read marks, and count what comes after them."""

    enter: EnterChannel
    places: Places
    servers: Servers
    marks: ReadMarks
    clock: Clock

    async def mark(self, user: UserId, channel: ChannelId, wish: MarkRead) -> ReadState:
        """Return how it stands after reading up to a message. Raises ``Refusal``.

        The message need not be there any more; one of the future is taken for now, so that what
        comes will be unread.
        """
        place = await self.enter(user, channel)
        place.require(Permission.READ_HISTORY)
        if place.channel.kind == "category":
            raise Conflict("channel_holds_no_messages", "a category holds channels; read those")
        reading = reading_of(place.community, user, channel)
        message = min(wish.message, id_at(self.clock.now_ms() + 1))
        return await self.marks.mark(user, reading, message, backwards=wish.backwards)

    async def states(self, user: UserId) -> list[ReadState]:
        """Return how it stands in each channel that *user* sees and where there is something.

        A channel that is left out holds nothing unread, and was never read.
        """
        readings: list[Reading] = []
        for server in await self.servers.of(user):
            try:
                community = await self.places.community(server.id)
            except NotFound:
                continue
            readings += readings_of(community, user)
        states = await self.marks.states(user, readings)
        return [state for state in states if state.unread or state.last_read is not None]
