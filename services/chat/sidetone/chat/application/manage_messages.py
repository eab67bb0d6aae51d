"""Change what stands in a channel: edit, delete, pin."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import msgspec

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.messages import MessageChange, Messages, NewMessage
from sidetone.chat.domain import mention
from sidetone.chat.domain.message import (
    PINS_MAX,
    checked_batch,
    checked_text,
    links_to_preview,
    not_of_people,
    stale_message,
)
from sidetone.chat.domain.place import Place
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Conflict, Forbidden
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ManageMessages:
    """Edit one's own messages; delete and pin also those of others, with ``MANAGE_MESSAGES``."""

    enter: EnterChannel
    messages: Messages
    clock: Clock
    look_at: Callable[[Message], None]

    async def edit(
        self,
        user: UserId,
        channel: ChannelId,
        message: MessageId,
        text: str,
        version: int | None,
    ) -> Message:
        """Return the message as it is now. *version* is the time of the edit that was read.

        Raises ``Refusal``.
        """

        async def deed(place: Place) -> Message:
            place.require_writable()
            place.require(Permission.SEND_MESSAGES)
            async with self._change(place) as change:
                before = await change.find(message)
                _require_own(before, user)
                if version is not None and version != (before.edited_at_ms or 0):
                    raise stale_message()
                return await self._edit(change, place, before, text)

        edited = await self.enter.act(user, channel, deed)
        return await self.messages.find(channel, edited.id, user)

    async def _edit(
        self, change: MessageChange, place: Place, before: Message, text: str
    ) -> Message:
        said = checked_text(text, may_be_empty=bool(before.attachments))
        if said == before.text:
            return before
        named = mention.parse(said)
        called = mention.resolve(named, place.community, place.root, place.permissions)
        after = msgspec.structs.replace(
            called.put_into(before),
            text=said,
            edited_at_ms=max(self.clock.now_ms(), (before.edited_at_ms or 0) + 1),
            previews=[],
        )
        await change.save(after, called.subjects(place.community))
        if links_to_preview(said) and place.may(Permission.EMBED_LINKS):
            self.look_at(after)
        return after

    async def delete(self, user: UserId, channel: ChannelId, message: MessageId) -> None:
        """Delete a message of one's own, or of anybody with ``MANAGE_MESSAGES``.

        Raises ``Refusal``.
        """

        async def deed(place: Place) -> None:
            async with self._change(place) as change:
                found = await change.find(message)
                if found.author != user or found.kind != "text":
                    place.require(Permission.MANAGE_MESSAGES)
                await change.remove([found])

        await self.enter.act(user, channel, deed)

    async def delete_many(
        self, user: UserId, channel: ChannelId, messages: Sequence[MessageId]
    ) -> None:
        """Delete up to a hundred messages; those that are gone already are left out.

        Raises ``Refusal``.
        """
        wanted = checked_batch(messages)

        async def deed(place: Place) -> None:
            place.require(Permission.MANAGE_MESSAGES)
            async with self._change(place) as change:
                await change.remove(await change.find_all(wanted))

        await self.enter.act(user, channel, deed)

    async def pin(self, user: UserId, channel: ChannelId, message: MessageId) -> None:
        """Pin a message and say so in the channel; one that is pinned stays.

        Raises ``Refusal``.
        """

        async def deed(place: Place) -> None:
            place.require_writable()
            place.require(Permission.MANAGE_MESSAGES)
            async with self._change(place) as change:
                found = await change.find(message)
                if found.pinned:
                    return
                if found.kind != "text":
                    raise not_of_people()
                if await change.count_pins() >= PINS_MAX:
                    raise Conflict(
                        "pins_full", f"a channel holds at most {PINS_MAX} pins; take one off first"
                    )
                pinned = msgspec.structs.replace(found, pinned=True)
                await change.save(pinned, pinned_at_ms=self.clock.now_ms())
                await change.add(NewMessage(self._notice(place, found), place.root))

        await self.enter.act(user, channel, deed)

    async def unpin(self, user: UserId, channel: ChannelId, message: MessageId) -> None:
        """Take a pin off; one that is not there changes nothing. Raises ``Refusal``."""

        async def deed(place: Place) -> None:
            place.require(Permission.MANAGE_MESSAGES)
            async with self._change(place) as change:
                found = await change.find(message)
                if found.pinned:
                    await change.save(msgspec.structs.replace(found, pinned=False))

        await self.enter.act(user, channel, deed)

    def _notice(self, place: Place, pinned: Message) -> Message:
        return Message(
            id=MessageId(self.clock.new_id()),
            server=pinned.server,
            channel=pinned.channel,
            author=place.user,
            text="",
            kind="message_pinned",
            reply_to=pinned.id,
        )

    def _change(self, place: Place) -> AbstractAsyncContextManager[MessageChange]:
        return self.messages.change(place.community.server.id, place.channel.id, place.generation)


def _require_own(message: Message, user: UserId) -> None:
    if message.kind != "text":
        raise not_of_people()
    if message.author != user:
        raise Forbidden("message_not_yours", "only who wrote a message can edit it")
