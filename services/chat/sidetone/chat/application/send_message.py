"""Write in a channel."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.media import Media
from sidetone.chat.application.messages import Messages, NewMessage
from sidetone.chat.application.patience import Patience
from sidetone.chat.application.ports import Contacts
from sidetone.chat.domain import mention
from sidetone.chat.domain.message import (
    checked_attachments,
    checked_nonce,
    checked_text,
    links_to_preview,
)
from sidetone.chat.domain.place import Place
from sidetone.permissions import Permission
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, FileId, MessageId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.messages import SendMessage as Wish
from sidetone.protocol.refusals import Forbidden
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter
from sidetone.telemetry.metrics import counter

_SENT = counter("sidetone_chat_messages_sent_total", "New messages that were stored.")


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Store a message, then tell of it: what was acknowledged is never lost.

    The decision is made from memory and compared in the write. *look_at* hears of messages with
    links that may be previewed; it must not wait.
    """

    enter: EnterChannel
    messages: Messages
    media: Media
    contacts: Contacts
    pace: Limiter
    patience: Patience
    clock: Clock
    look_at: Callable[[Message], None]

    async def __call__(self, user: UserId, channel: ChannelId, wish: Wish) -> tuple[Message, bool]:
        """Return the message and whether it is new: a nonce that was used returns the first.

        Raises ``Refusal``.
        """
        files = checked_attachments(wish.attachments)
        text = checked_text(wish.text, may_be_empty=bool(files))
        nonce = checked_nonce(wish.nonce)
        await self.pace.take(f"{channel.hex}{user.hex}")
        place = await self.enter(user, channel)
        _require_may_write(place, files)
        if place.channel.kind == "direct":
            await self._require_contact(place)
        if nonce is not None and (files or _must_wait(place)):
            # What was stored before costs neither patience nor files again.
            first = await self.messages.by_nonce(channel, user, nonce)
            if first is not None:
                return first, False
        if _must_wait(place):
            await self.patience.take_turn(user, channel, place.channel.slow_mode_seconds)
        attachments = await self.media.claim(user, channel, files) if files else []
        draft = Message(
            id=MessageId(self.clock.new_id()),
            server=place.community.server.id,
            channel=channel,
            author=user,
            text=text,
            reply_to=wish.reply_to,
            attachments=attachments,
            nonce=nonce,
        )
        stored = await self.enter.act(user, channel, partial(self._store, draft))
        is_new = stored.id == draft.id
        if is_new:
            _SENT.inc()
        if is_new and links_to_preview(text) and place.may(Permission.EMBED_LINKS):
            self.look_at(stored)
        return stored, is_new

    async def _store(self, draft: Message, place: Place) -> Message:
        """Store *draft* with whom it calls, while *place* is what the server says."""
        _require_may_write(place, draft.attachments)
        named = mention.parse(draft.text)
        called = mention.resolve(named, place.community, place.root, place.permissions)
        if draft.reply_to is not None:
            answered = await self.messages.find(draft.channel, draft.reply_to, draft.author)
            called = called.with_user(answered.author, place.community, place.root)
        message = called.put_into(draft)
        return await self.messages.add(
            NewMessage(message, place.root, called.subjects(place.community), place.generation)
        )

    async def _require_contact(self, place: Place) -> None:
        """Refuse to write to somebody who blocked the writer, or whom they blocked."""
        if place.community.server.kind != "direct":
            return
        others = [UserId(other) for other in place.community.members if other != place.user]
        if not others:
            return
        between = await self.contacts.between(place.user, others)
        if any(contact.blocked for contact in between.values()):
            raise Forbidden("contact_blocked", "you cannot write to each other: one is blocked")


def _require_may_write(place: Place, files: list[FileId] | list[File]) -> None:
    place.require_writable()
    place.require(Permission.SEND_MESSAGES)
    if files:
        place.require(Permission.ATTACH_FILES)


def _must_wait(place: Place) -> bool:
    return place.channel.slow_mode_seconds > 0 and not place.may(Permission.BYPASS_SLOW_MODE)
