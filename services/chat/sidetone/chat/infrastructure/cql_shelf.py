"""The messages in CQL, for a copy of them all."""

import time
from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.application.messages import NewMessage
from sidetone.chat.infrastructure.cql import Ask, Cql
from sidetone.chat.infrastructure.cql_changes import first_writes
from sidetone.chat.infrastructure.cql_read_marks import PUT_MARK
from sidetone.chat.infrastructure.cql_rows import (
    CHANGE_MESSAGE,
    COUNT_REACTIONS,
    NOTE_BUCKET,
    PUT_PIN,
    PUT_REACTION,
    CqlRows,
    bucket_of,
    encoded_kinds,
    key_of,
)
from sidetone.chat.infrastructure.message_copies import Copied, Marks
from sidetone.chat.infrastructure.message_rows import details_of, subjects_of
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.storage import Database, StorageError

_CHANNELS = """
SELECT channel FROM message_channels WHERE channel > :after AND EXISTS (
  SELECT 1 FROM channels WHERE channels.id = message_channels.channel
) ORDER BY channel LIMIT :limit
"""
_NOTE_CHANNEL = "INSERT INTO message_channels (channel) VALUES (:channel) ON CONFLICT DO NOTHING"
# Whoever changes something afterwards does it later than the copy, whatever the clocks say.
_NOTE_COPY = """
INSERT INTO message_places (place, changed_at_us) VALUES (:place, :at_us)
ON CONFLICT (place) DO UPDATE SET changed_at_us = excluded.changed_at_us
WHERE message_places.changed_at_us < excluded.changed_at_us
"""
_UNDONE = "SELECT COUNT(*) FROM message_log"
_REACTIONS = """
SELECT message, emoji, member FROM reactions
WHERE channel = :channel AND bucket = :bucket AND message >= :first AND message <= :last
"""
_CLEAR_BUCKET = (
    "DELETE FROM messages USING TIMESTAMP :at_us WHERE channel = :channel AND bucket = :bucket",
    "DELETE FROM reactions USING TIMESTAMP :at_us WHERE channel = :channel AND bucket = :bucket",
)
# The buckets stay: they may be empty, and their time is that of their last message.
_CLEAR = (
    "DELETE FROM mentions USING TIMESTAMP :at_us WHERE channel = :channel",
    "DELETE FROM pins USING TIMESTAMP :at_us WHERE channel = :channel",
)
_MEMBERS = "SELECT DISTINCT member FROM read_states LIMIT :most"
_MORE_MEMBERS = """
SELECT DISTINCT member FROM read_states WHERE token(member) > token(:after) LIMIT :most
"""
_MARKS = "SELECT channel, last_read FROM read_states WHERE member = :member LIMIT 100000"
_NOBODY, _LAST = UUID(int=0), UUID(int=(1 << 128) - 1)


class CqlShelf:
    """Writes past the log: nobody else writes while a copy is made, and nobody is told."""

    def __init__(self, database: Database, session: Cql) -> None:
        self._database = database
        self._session = session
        self._rows = CqlRows(session)
        self._at_us = 0

    async def require_done(self) -> None:
        """Raise ``StorageError`` where the log holds what was not written yet."""
        (undone,) = (await self._database.fetch(_UNDONE, {}))[0]
        if undone:
            raise StorageError(
                f"{undone} changes of messages are not written yet: "
                "let the chat service run for a moment, stop it, and copy again"
            )

    async def channels(self, after: ChannelId | None, limit: int) -> list[ChannelId]:
        """Return existing channels that hold messages, by id."""
        values = {"after": after or _NOBODY, "limit": limit}
        rows = await self._database.fetch(_CHANNELS, values)
        return [msgspec.convert(row[0], ChannelId) for row in rows]

    async def read(self, channel: ChannelId, after: MessageId, limit: int) -> list[Copied]:
        """Return the first messages after one, oldest first."""
        page = await self._rows.after(channel, after, limit)
        ids: dict[int, list[MessageId]] = {}
        for held in page:
            if held.kinds:
                ids.setdefault(bucket_of(held.message.id), []).append(held.message.id)
        reactions: dict[MessageId, list[tuple[str, UserId]]] = {}
        asked = [
            {"channel": channel, "bucket": bucket, "first": some[0], "last": some[-1]}
            for bucket, some in ids.items()
        ]
        for rows in await self._session.fetch_many(_REACTIONS, asked):
            for message, emoji, member in msgspec.convert(
                rows, list[tuple[MessageId, str, UserId]]
            ):
                reactions.setdefault(message, []).append((emoji, member))
        return [Copied(held, reactions.get(held.message.id, [])) for held in page]

    async def last(self, channel: ChannelId, limit: int) -> list[MessageId]:
        """Return the ids of the last messages, newest first."""
        return [held.message.id for held in await self._rows.before(channel, _LAST, limit)]

    async def put(self, channel: ChannelId, messages: Sequence[Copied]) -> None:
        """Store *messages* of *channel*."""
        at_us = self._later()
        await self._database.execute(_NOTE_CHANNEL, {"channel": channel})
        await self._database.execute(_NOTE_COPY, {"place": channel, "at_us": at_us})
        await self._session.write(
            [ask for copied in messages for ask in _writes_of(copied, at_us)]
        )

    async def clear(self, channel: ChannelId) -> None:
        """Remove all that the channel holds."""
        at = {"channel": channel, "at_us": self._later()}
        buckets = await self._rows.buckets_since(channel, _NOBODY)
        asks: list[Ask] = [
            (statement, {**at, "bucket": bucket})
            for bucket, _ in buckets
            for statement in _CLEAR_BUCKET
        ]
        await self._session.write([*asks, *((statement, at) for statement in _CLEAR)])

    async def members(self, after: UserId | None, limit: int) -> list[UserId]:
        """Return users with read marks, in the order in which the nodes hold them."""
        query = _MEMBERS if after is None else _MORE_MEMBERS
        values = {"most": limit} if after is None else {"most": limit, "after": after}
        rows = await self._session.fetch(query, values)
        return [msgspec.convert(row[0], UserId) for row in rows]

    async def marks(self, member: UserId) -> Marks:
        """Return how far *member* has read, by channel."""
        return msgspec.convert(await self._session.fetch(_MARKS, {"member": member}), Marks)

    async def put_marks(self, member: UserId, marks: Marks) -> None:
        """Store how far *member* has read."""
        at_us = self._later()
        await self._database.execute(_NOTE_COPY, {"place": member, "at_us": at_us})
        await self._session.write(
            [
                (
                    PUT_MARK,
                    {"member": member, "channel": channel, "message": last, "at_us": at_us},
                )
                for channel, last in marks
            ]
        )

    def _later(self) -> int:
        """Return a time after all that this copy has written."""
        self._at_us = max(self._at_us + 1, time.time_ns() // 1_000)
        return self._at_us


def _writes_of(copied: Copied, at_us: int) -> list[Ask]:
    held, message = copied.held, copied.held.message
    key = {**key_of(message.channel, message.id), "at_us": at_us}
    new = NewMessage(message, held.entry.root, subjects_of(message))
    asks: list[Ask] = [
        (statement, values if statement is NOTE_BUCKET else {**values, "at_us": at_us})
        for statement, values in first_writes(new)
    ]
    # What a new message cannot have; without it nothing is written.
    if message.edited_at_ms is not None or held.pinned_at_ms is not None:
        changed = {
            "text": message.text,
            "edited_at_ms": message.edited_at_ms,
            "pinned_at_ms": held.pinned_at_ms,
            "thread": message.thread,
            "details": details_of(message) or None,
        }
        asks.append((CHANGE_MESSAGE, {**key, **changed}))
    if held.pinned_at_ms is not None:
        asks.append((PUT_PIN, {**key, "pinned_at_ms": held.pinned_at_ms}))
    if held.kinds:
        asks.append((COUNT_REACTIONS, {**key, "reactions": encoded_kinds(held.kinds)}))
    asks += [
        (PUT_REACTION, {**key, "emoji": emoji, "member": member})
        for emoji, member in copied.reactions
    ]
    return asks
