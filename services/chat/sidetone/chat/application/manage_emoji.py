"""Give a server emoji of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.ports import Changes, Claims
from sidetone.chat.domain.draft import Draft
from sidetone.chat.domain.emoji import checked_emoji_name, unknown_emoji
from sidetone.chat.domain.server import EMOJI_MAX, require_room_for_one_more
from sidetone.permissions import Permission
from sidetone.protocol.ids import EmojiId, ServerId, UserId
from sidetone.protocol.refusals import Conflict
from sidetone.protocol.servers import CreateEmoji, Emoji
from sidetone.runtime.clock import Clock

_ANIMATED = "image/gif"


@dataclass(frozen=True, slots=True)
class ManageEmoji:
    """Add, rename and remove pictures that are written as words. Their names are unique."""

    changes: Changes
    enter_server: EnterServer
    claims: Claims
    clock: Clock

    async def of(self, server: ServerId, user: UserId) -> Sequence[Emoji]:
        """Return the server's emoji, oldest first. Raises ``NotFound``."""
        community = (await self.enter_server(user, server)).community
        return sorted(community.emoji.values(), key=lambda each: each.id)

    async def create(self, server: ServerId, user: UserId, wish: CreateEmoji) -> Emoji:
        """Return the new emoji. Raises ``Refusal``."""
        name = checked_emoji_name(wish.name)
        await self.enter_server(user, server, Permission.MANAGE_EMOJI)
        file = await self.claims.claim(user, "emoji", wish.file)
        emoji = Emoji(
            EmojiId(self.clock.new_id()), name, file.id, file.media_type == _ANIMATED, user
        )
        async with self.changes.of(server) as change:
            draft = change.draft
            draft.standing(user).require(Permission.MANAGE_EMOJI)
            require_room_for_one_more(len(draft.before.emoji), EMOJI_MAX, "emoji")
            _require_free(draft, name)
            draft.put(emoji)
            draft.note(user, "emoji.create", emoji.id, None, emoji)
        return emoji

    async def rename(self, server: ServerId, user: UserId, emoji: EmojiId, name: str) -> Emoji:
        """Return the emoji under its new name. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            before = _emoji(draft, user, emoji)
            after = msgspec.structs.replace(before, name=checked_emoji_name(name))
            if after != before:
                _require_free(draft, name)
                draft.put(after)
                draft.note(user, "emoji.edit", emoji, before, after)
        return after

    async def delete(self, server: ServerId, user: UserId, emoji: EmojiId) -> None:
        """Remove the emoji. Raises ``Refusal``."""
        async with self.changes.of(server) as change:
            draft = change.draft
            before = _emoji(draft, user, emoji)
            draft.drop(emoji)
            draft.note(user, "emoji.delete", emoji, before)


def _emoji(draft: Draft, user: UserId, emoji: EmojiId) -> Emoji:
    draft.standing(user).require(Permission.MANAGE_EMOJI)
    found = draft.before.emoji.get(emoji)
    if found is None:
        raise unknown_emoji()
    return found


def _require_free(draft: Draft, name: str) -> None:
    if any(each.name == name for each in draft.before.emoji.values()):
        raise Conflict("emoji_name_taken", "there is an emoji of this name; choose another")
