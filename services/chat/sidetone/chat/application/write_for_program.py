"""Write in a channel for a program that has no place in it."""

from dataclasses import dataclass

from sidetone.chat.application.messages import Messages, NewMessage
from sidetone.chat.application.places import Places
from sidetone.chat.domain import mention
from sidetone.chat.domain.channel import unknown_channel
from sidetone.chat.domain.message import checked_nonce, checked_text
from sidetone.chat.domain.place import require_writable, root_of
from sidetone.permissions import Permission
from sidetone.protocol.ids import MessageId
from sidetone.protocol.messages import Message
from sidetone.protocol.questions import WriteMessage
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class WriteForProgram:
    """Who asks has decided that the program may write; what may be said is decided here.

    It calls members and roles as a member without rights would: never everyone.
    """

    places: Places
    messages: Messages
    clock: Clock

    async def __call__(self, wish: WriteMessage) -> Message:
        """Return the message, or the first with its nonce. Raises ``Refusal``."""
        text = checked_text(wish.text)
        nonce = checked_nonce(wish.nonce)
        community, channel = await self.places.find(wish.channel)
        if community.server.id != wish.server:
            raise unknown_channel()
        require_writable(channel)
        root = root_of(channel)
        called = mention.resolve(mention.parse(text), community, root, Permission.NONE)
        message = called.put_into(
            Message(
                id=MessageId(self.clock.new_id()),
                server=wish.server,
                channel=wish.channel,
                author=wish.author,
                text=text,
                nonce=nonce,
                persona=wish.persona,
            )
        )
        async with self.messages.change(wish.server, wish.channel) as change:
            is_new = await change.add(NewMessage(message, root, called.subjects(community)))
        if is_new:
            return message
        first = await self.messages.by_nonce(wish.channel, wish.author, wish.nonce)
        return first or message
