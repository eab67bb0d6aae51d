"""Read what was written."""

from dataclasses import dataclass

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.messages import Messages
from sidetone.chat.domain.reading import id_after
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.requests import Page


@dataclass(frozen=True, slots=True)
class ReadHistory:
    """Pages of history, newest first; single messages; pins."""

    enter: EnterChannel
    messages: Messages

    async def page(
        self,
        user: UserId,
        channel: ChannelId,
        marks: tuple[MessageId | None, MessageId | None, MessageId | None],
        limit: int,
    ) -> Page[Message]:
        """Return the messages before, after or around one of *marks*, or else the newest.

        The page's ``next`` is the mark that goes on in the same direction; from around, backwards.
        Raises ``Refusal``.
        """
        await self._require(user, channel)
        before, after, around = marks
        if sum(mark is not None for mark in marks) > 1:
            raise Invalid("marks_clash", "name one of before, after and around")
        if after is not None:
            found = await self.messages.after(channel, after, limit + 1, user)
            more = found[-limit].id if len(found) > limit else None
            return Page(found[-limit:], _text(more))
        newer: list[Message] = []
        older_max = limit
        if around is not None:
            newer = await self.messages.after(channel, around, limit // 2, user)
            older_max = limit - len(newer)
            before = id_after(around)
        older = await self.messages.before(channel, before, older_max + 1, user)
        more = older[older_max - 1].id if len(older) > older_max else None
        return Page([*newer, *older[:older_max]], _text(more))

    async def one(self, user: UserId, channel: ChannelId, message: MessageId) -> Message:
        """Return a single message. Raises ``Refusal``."""
        await self._require(user, channel)
        return await self.messages.find(channel, message, user)

    async def pins(self, user: UserId, channel: ChannelId) -> list[Message]:
        """Return what is pinned, the latest first. Raises ``Refusal``."""
        await self._require(user, channel)
        return await self.messages.pinned(channel, user)

    async def _require(self, user: UserId, channel: ChannelId) -> None:
        place = await self.enter(user, channel)
        place.require(Permission.READ_HISTORY)


def _text(mark: MessageId | None) -> str | None:
    return None if mark is None else str(mark)
