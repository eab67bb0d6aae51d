"""Lines that the server writes by itself."""

from dataclasses import dataclass

from sidetone.chat.application.messages import Messages, NewMessage
from sidetone.chat.application.places import Places
from sidetone.community import Community
from sidetone.protocol.calls import Call
from sidetone.protocol.ids import MessageId, ServerId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import NotFound
from sidetone.protocol.servers import Channel, Member
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class WriteNotices:
    """Tell of new members and of calls that are over, each once.

    They are written from facts, which can be heard twice and by several processes: the nonce is
    made of what is told, and so the second one is not stored.
    """

    places: Places
    messages: Messages
    clock: Clock

    async def member_joined(self, server: ServerId, member: Member, generation: int) -> None:
        """Welcome a new member of that *generation* in the first channel that they see."""
        try:
            community = await self.places.community(server)
            if community.generation < generation:
                # We hear of it before those who keep the memory up to date.
                await self.places.refresh(server)
                community = await self.places.community(server)
        except NotFound:
            return
        channel = _hall(community, member)
        if channel is not None:
            await self._write(
                Message(
                    id=MessageId(self.clock.new_id()),
                    server=server,
                    channel=channel.id,
                    author=member.user,
                    text="",
                    kind="member_joined",
                    nonce=f"joined {member.joined_at_ms}",
                )
            )

    async def call_over(self, call: Call) -> None:
        """Leave a line of a call: who called, for how long, or that it was missed."""
        await self._write(
            Message(
                id=MessageId(self.clock.new_id()),
                server=call.server,
                channel=call.channel,
                author=call.caller,
                text="",
                kind="call",
                nonce=f"call {call.id.hex}",
                call=call,
            )
        )

    async def _write(self, message: Message) -> None:
        async with self.messages.change(message.server, message.channel) as change:
            await change.add(NewMessage(message, message.channel))


def _hall(community: Community, member: Member) -> Channel | None:
    """Return where a new member is welcomed; conversations of two need no welcome."""
    if community.server.kind == "direct" or member.user not in community.members:
        return None
    halls = [
        channel for channel in community.visible(member.user) if channel.kind in {"text", "direct"}
    ]
    return min(halls, key=lambda hall: (hall.position, hall.id), default=None)
