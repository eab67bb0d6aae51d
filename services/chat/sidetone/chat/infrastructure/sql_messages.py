"""Messages in the SQL that SQLite and PostgreSQL share."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from sidetone.chat.application.messages import NewMessage, Outdated
from sidetone.chat.domain.message import unknown_message
from sidetone.chat.infrastructure.message_rows import COLUMNS, entry_of, wanted_rows
from sidetone.chat.infrastructure.search_index import Indexed
from sidetone.chat.infrastructure.sql_message_changes import SqlMessageChange
from sidetone.chat.infrastructure.sql_sends import SqlSends
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message, Reaction
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.requests import Page
from sidetone.runtime.outbox import Outbox
from sidetone.storage import Database, Row, Values

_SELECT = f"SELECT {COLUMNS} FROM messages"  # noqa: S608 - a constant
_PICKED_AT_ONCE = 50
_BEFORE = f"{_SELECT} WHERE channel = :channel AND id < :mark ORDER BY id DESC LIMIT :limit"
_AFTER = f"{_SELECT} WHERE channel = :channel AND id > :mark ORDER BY id LIMIT :limit"
_ONE = f"{_SELECT} WHERE channel = :channel AND id = :message"
_BY_NONCE = f"{_SELECT} WHERE channel = :channel AND author = :author AND nonce = :nonce"
_PINNED = f"""
{_SELECT} WHERE channel = :channel AND pinned_at_ms IS NOT NULL ORDER BY pinned_at_ms DESC, id DESC
LIMIT 100
"""
_REACTIONS = """
SELECT kinds.message, kinds.emoji, kinds.amount, mine.member
FROM reaction_kinds AS kinds LEFT JOIN reactions AS mine
  ON mine.channel = kinds.channel AND mine.message = kinds.message AND mine.emoji = kinds.emoji
  AND mine.member = :reader
WHERE kinds.channel = :channel AND kinds.message >= :first AND kinds.message <= :last
ORDER BY kinds.message, kinds.since_ms, kinds.emoji
"""
_PICKED_REACTIONS = f"""
{wanted_rows("home message", _PICKED_AT_ONCE)}
SELECT kinds.message, kinds.emoji, kinds.amount, mine.member
FROM wanted JOIN reaction_kinds AS kinds
  ON kinds.channel = wanted.home AND kinds.message = wanted.message
LEFT JOIN reactions AS mine
  ON mine.channel = kinds.channel AND mine.message = kinds.message AND mine.emoji = kinds.emoji
  AND mine.member = :reader
ORDER BY kinds.message, kinds.since_ms, kinds.emoji
"""  # noqa: S608 - constants
_PICKED = f"""
{wanted_rows("home message", _PICKED_AT_ONCE)}
SELECT {COLUMNS} FROM wanted JOIN messages
  ON messages.channel = wanted.home AND messages.id = wanted.message
ORDER BY wanted.place
"""  # noqa: S608 - constants
_REACTED = """
SELECT member FROM reactions
WHERE channel = :channel AND message = :message AND emoji = :emoji AND member > :cursor
ORDER BY member LIMIT :limit
"""
_WRITTEN_BY = """
SELECT id FROM messages
WHERE channel = :channel AND id >= :since AND author = :author ORDER BY id LIMIT :limit
"""
_GENERATION = "SELECT generation FROM servers WHERE id = :server"
_NOWHERE = UUID(int=0)
_LAST = MessageId(UUID(int=(1 << 128) - 1))


class SqlMessages:
    """All messages, in the tables of ``0003_messages.sql``."""

    def __init__(self, database: Database, outbox: Outbox, index: Indexed) -> None:
        self._database = database
        self._outbox = outbox
        self._index = index
        self._sends = SqlSends(outbox, index)

    # --- Writing ---

    async def add(self, new: NewMessage) -> Message:
        """Store a message and tell of it, or return the first with its nonce."""
        if await self._sends.add(new):
            return new.message
        message = new.message
        if message.nonce is not None:
            first = await self.by_nonce(message.channel, message.author, message.nonce)
            if first is not None:
                return first
        raise Outdated

    @asynccontextmanager
    async def change(
        self, server: ServerId, channel: ChannelId, generation: int | None = None
    ) -> AsyncGenerator[SqlMessageChange]:
        """Open a change of what stands in *channel*; it raises ``Outdated`` at its begin."""
        async with self._outbox.transaction() as rows:
            if generation is not None:
                found = await rows.fetch(_GENERATION, {"server": server})
                if list(found) != [(generation,)]:
                    raise Outdated
            yield SqlMessageChange(rows, self._index, server, channel)

    # --- Reading ---

    async def find(self, channel: ChannelId, message: MessageId, reader: UserId) -> Message:
        """Return the message. Raises ``NotFound``."""
        found = await self._fetch(_ONE, {"channel": channel, "message": message})
        if not found:
            raise unknown_message()
        return (await self._with_reactions(found, reader))[0]

    async def by_nonce(self, channel: ChannelId, author: UserId, nonce: str) -> Message | None:
        """Return what *author* wrote in *channel* with *nonce*."""
        values = {"channel": channel, "author": author, "nonce": nonce}
        found = await self._fetch(_BY_NONCE, values)
        return (await self._with_reactions(found, author))[0] if found else None

    async def before(
        self, channel: ChannelId, mark: MessageId | None, limit: int, reader: UserId
    ) -> list[Message]:
        """Return the last messages before *mark*, or of all, newest first."""
        values = {"channel": channel, "mark": mark or _LAST, "limit": limit}
        return await self._with_reactions(await self._fetch(_BEFORE, values), reader)

    async def after(
        self, channel: ChannelId, mark: MessageId, limit: int, reader: UserId
    ) -> list[Message]:
        """Return the first messages after *mark*, newest first."""
        values = {"channel": channel, "mark": mark, "limit": limit}
        found = await self._fetch(_AFTER, values)
        return await self._with_reactions(found[::-1], reader)

    async def pinned(self, channel: ChannelId, reader: UserId) -> list[Message]:
        """Return the pinned messages, the one pinned last first."""
        found = await self._fetch(_PINNED, {"channel": channel})
        return await self._with_picked_reactions(found, reader)

    async def every(
        self, hits: Sequence[tuple[ChannelId, MessageId]], reader: UserId
    ) -> list[Message]:
        """Return those of *hits* that exist, in their order."""
        found: list[Message] = []
        for start in range(0, len(hits), _PICKED_AT_ONCE):
            found += await self._fetch(_PICKED, _picked(hits[start : start + _PICKED_AT_ONCE]))
        return await self._with_picked_reactions(found, reader)

    async def reacted(
        self, channel: ChannelId, message: MessageId, emoji: str, cursor: str | None, limit: int
    ) -> Page[UserId]:
        """Return who reacted to a message with *emoji*, by id."""
        values = {
            "channel": channel,
            "message": message,
            "emoji": emoji,
            "cursor": _user_of(cursor),
            "limit": limit + 1,
        }
        rows = await self._database.fetch(_REACTED, values)
        users = [msgspec.convert(row[0], UserId) for row in rows]
        return Page(users[:limit], str(users[limit - 1]) if len(users) > limit else None)

    async def written_by(
        self, channel: ChannelId, author: UserId, since: MessageId, limit: int
    ) -> list[MessageId]:
        """Return what *author* wrote in *channel* since *since*, oldest first."""
        values = {"channel": channel, "author": author, "since": since, "limit": limit}
        rows = await self._database.fetch(_WRITTEN_BY, values)
        return [msgspec.convert(row[0], MessageId) for row in rows]

    async def _fetch(self, query: str, values: Values) -> list[Message]:
        rows = await self._database.fetch(query, values)
        return [entry_of(row).message for row in rows]

    async def _with_reactions(self, messages: list[Message], reader: UserId) -> list[Message]:
        """Return *messages*, which follow each other in one channel, with their reactions."""
        if not messages:
            return messages
        ids = [message.id for message in messages]
        rows = await self._database.fetch(
            _REACTIONS,
            {
                "channel": messages[0].channel,
                "reader": reader,
                "first": min(ids),
                "last": max(ids),
            },
        )
        return _joined(messages, rows)

    async def _with_picked_reactions(
        self, messages: list[Message], reader: UserId
    ) -> list[Message]:
        """Return *messages*, which may be far from each other, with their reactions."""
        hits = [(message.channel, message.id) for message in messages]
        rows: list[Row] = []
        for start in range(0, len(hits), _PICKED_AT_ONCE):
            picked = _picked(hits[start : start + _PICKED_AT_ONCE])
            rows += await self._database.fetch(_PICKED_REACTIONS, {**picked, "reader": reader})
        return _joined(messages, rows)


def _picked(hits: Sequence[tuple[ChannelId, MessageId]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for number in range(_PICKED_AT_ONCE):
        home, message = hits[number] if number < len(hits) else (_NOWHERE, _NOWHERE)
        values[f"home{number}"], values[f"message{number}"] = home, message
    return values


def _joined(messages: list[Message], rows: Sequence[Row]) -> list[Message]:
    """Return *messages* with the reactions that *rows* hold."""
    if not rows:
        return messages
    reactions: dict[MessageId, list[Reaction]] = {}
    for row in rows:
        message, emoji, amount, mine = msgspec.convert(
            row, tuple[MessageId, str, int, UserId | None]
        )
        reactions.setdefault(message, []).append(Reaction(emoji, amount, mine is not None))
    return [
        msgspec.structs.replace(message, reactions=reactions[message.id])
        if message.id in reactions
        else message
        for message in messages
    ]


def _user_of(cursor: str | None) -> UUID:
    try:
        return UUID(cursor) if cursor is not None else UUID(int=0)
    except ValueError:
        raise Invalid(
            "cursor_unknown", "this cursor was not given out here; begin from the start"
        ) from None
