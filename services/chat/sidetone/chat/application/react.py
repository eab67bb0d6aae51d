"""Answer a message with an emoji."""

from dataclasses import dataclass

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.messages import Messages
from sidetone.chat.domain.place import Place
from sidetone.chat.domain.reaction import KINDS_MAX, checked_emoji, checked_form, too_many_kinds
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.requests import Page
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True, slots=True)
class React:
    """Put reactions to messages, take them away, and see whose they are."""

    enter: EnterChannel
    messages: Messages
    pace: Limiter
    clock: Clock

    async def put(self, user: UserId, channel: ChannelId, message: MessageId, emoji: str) -> None:
        """Add the user's reaction; a second one of the same kind changes nothing.

        To join a kind that is there takes no permission but to see it. Raises ``Refusal``.
        """
        await self.pace.take(f"{channel.hex}{user.hex}")

        async def deed(place: Place) -> None:
            place.require_writable()
            place.require(Permission.READ_HISTORY)
            known = checked_emoji(emoji, place.community)
            async with self.messages.change(
                place.community.server.id, channel, place.generation
            ) as change:
                await change.find(message)
                kinds = await change.kinds(message)
                if known not in kinds:
                    place.require(Permission.ADD_REACTIONS)
                    if len(kinds) >= KINDS_MAX:
                        raise too_many_kinds()
                await change.put_reaction(message, user, known, self.clock.now_ms())

        await self.enter.act(user, channel, deed)

    async def take(
        self, user: UserId, channel: ChannelId, message: MessageId, emoji: str, whose: UserId
    ) -> None:
        """Remove one's own reaction, or with ``MANAGE_MESSAGES`` that of *whose*.

        Raises ``Refusal``.
        """
        known = checked_form(emoji)
        await self.pace.take(f"{channel.hex}{user.hex}")

        async def deed(place: Place) -> None:
            if whose != user:
                place.require(Permission.MANAGE_MESSAGES)
            async with self.messages.change(
                place.community.server.id, channel, place.generation
            ) as change:
                await change.find(message)
                await change.take_reaction(message, whose, known)

        await self.enter.act(user, channel, deed)

    async def users(
        self,
        user: UserId,
        message: tuple[ChannelId, MessageId],
        emoji: str,
        cursor: str | None,
        limit: int,
    ) -> Page[UserId]:
        """Return who reacted with *emoji*. Raises ``Refusal``."""
        known = checked_form(emoji)
        place = await self.enter(user, message[0])
        place.require(Permission.READ_HISTORY)
        await self.messages.find(*message, user)
        return await self.messages.reacted(*message, known, cursor, limit)
