"""The messages of the relational database, for a copy of them all."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.infrastructure.message_copies import Copied, Marks
from sidetone.chat.infrastructure.message_rows import (
    COLUMNS,
    Held,
    Kind,
    details_of,
    entry_of,
    put_mentions,
    subjects_of,
)
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.storage import Database, Values

_NAMES = [name.strip() for name in COLUMNS.split(",")]
_CHANNELS = """
SELECT id FROM channels WHERE id > :after AND EXISTS (
  SELECT 1 FROM messages WHERE messages.channel = channels.id
) ORDER BY id LIMIT :limit
"""
_AFTER = f"""
SELECT {COLUMNS} FROM messages WHERE channel = :channel AND id > :after ORDER BY id LIMIT :limit
"""  # noqa: S608 - a constant
_LAST = "SELECT id FROM messages WHERE channel = :channel ORDER BY id DESC LIMIT :limit"
_BETWEEN = "WHERE channel = :channel AND message >= :first AND message <= :last"
_KINDS = f"SELECT message, emoji, since_ms, amount FROM reaction_kinds {_BETWEEN}"  # noqa: S608 - a constant
_REACTIONS = f"SELECT message, emoji, member FROM reactions {_BETWEEN}"  # noqa: S608 - a constant
_PUT = f"""
INSERT INTO messages ({COLUMNS}) VALUES ({", ".join(f":{name}" for name in _NAMES)})
ON CONFLICT DO NOTHING
"""  # noqa: S608 - constants
_PUT_KIND = """
INSERT INTO reaction_kinds (channel, message, emoji, since_ms, amount)
VALUES (:channel, :message, :emoji, :since_ms, :amount) ON CONFLICT DO NOTHING
"""
_PUT_REACTION = """
INSERT INTO reactions (channel, message, emoji, member)
VALUES (:channel, :message, :emoji, :member) ON CONFLICT DO NOTHING
"""
_CLEAR = [
    f"DELETE FROM {table} WHERE channel = :channel"  # noqa: S608 - our own words
    for table in ("mentions", "reactions", "reaction_kinds", "messages")
]
_MEMBERS = """
SELECT DISTINCT member FROM read_states WHERE member > :after ORDER BY member LIMIT :limit
"""
_MARKS = """
SELECT channel, last_read FROM read_states WHERE member = :member ORDER BY channel LIMIT 100000
"""
_PUT_MARK = """
INSERT INTO read_states (member, channel, last_read) VALUES (:member, :channel, :last_read)
ON CONFLICT (member, channel) DO UPDATE SET last_read = excluded.last_read
"""
_NOBODY = UUID(int=0)


class SqlShelf:
    """A page is put in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def channels(self, after: ChannelId | None, limit: int) -> list[ChannelId]:
        """Return existing channels that hold messages, by id."""
        values = {"after": after or _NOBODY, "limit": limit}
        rows = await self._database.fetch(_CHANNELS, values)
        return [msgspec.convert(row[0], ChannelId) for row in rows]

    async def read(self, channel: ChannelId, after: MessageId, limit: int) -> list[Copied]:
        """Return the first messages after one, oldest first."""
        values = {"channel": channel, "after": after, "limit": limit}
        rows = await self._database.fetch(_AFTER, values)
        if not rows:
            return []
        entries = [(entry_of(row), row[10]) for row in rows]
        between = {
            "channel": channel,
            "first": entries[0][0].message.id,
            "last": entries[-1][0].message.id,
        }
        kinds: dict[MessageId, list[Kind]] = {}
        for row in await self._database.fetch(_KINDS, between):
            message, *kind = msgspec.convert(row, tuple[MessageId, str, int, int])
            kinds.setdefault(message, []).append(msgspec.convert(kind, Kind))
        reactions: dict[MessageId, list[tuple[str, UserId]]] = {}
        for row in await self._database.fetch(_REACTIONS, between):
            message, emoji, member = msgspec.convert(row, tuple[MessageId, str, UserId])
            reactions.setdefault(message, []).append((emoji, member))
        return [
            Copied(
                Held(
                    entry,
                    kinds.get(entry.message.id, []),
                    msgspec.convert(pinned_at_ms, int | None),
                ),
                reactions.get(entry.message.id, []),
            )
            for entry, pinned_at_ms in entries
        ]

    async def last(self, channel: ChannelId, limit: int) -> list[MessageId]:
        """Return the ids of the last messages, newest first."""
        rows = await self._database.fetch(_LAST, {"channel": channel, "limit": limit})
        return [msgspec.convert(row[0], MessageId) for row in rows]

    async def put(self, channel: ChannelId, messages: Sequence[Copied]) -> None:
        """Store *messages* of *channel*."""
        async with self._database.transaction() as rows:
            await rows.execute_many(_PUT, [_values_of(copied.held) for copied in messages])
            for copied in messages:
                message = copied.held.message
                key = {"channel": channel, "message": message.id}
                await put_mentions(rows, message, subjects_of(message))
                kinds = [{**key, **msgspec.structs.asdict(kind)} for kind in copied.held.kinds]
                await rows.execute_many(_PUT_KIND, kinds)
                reactions = [
                    {**key, "emoji": emoji, "member": member} for emoji, member in copied.reactions
                ]
                await rows.execute_many(_PUT_REACTION, reactions)

    async def clear(self, channel: ChannelId) -> None:
        """Remove all that the channel holds."""
        async with self._database.transaction() as rows:
            for statement in _CLEAR:
                await rows.execute(statement, {"channel": channel})

    async def members(self, after: UserId | None, limit: int) -> list[UserId]:
        """Return users with read marks, by id."""
        values = {"after": after or _NOBODY, "limit": limit}
        rows = await self._database.fetch(_MEMBERS, values)
        return [msgspec.convert(row[0], UserId) for row in rows]

    async def marks(self, member: UserId) -> Marks:
        """Return how far *member* has read, by channel."""
        return msgspec.convert(await self._database.fetch(_MARKS, {"member": member}), Marks)

    async def put_marks(self, member: UserId, marks: Marks) -> None:
        """Store how far *member* has read."""
        await self._database.execute_many(
            _PUT_MARK,
            [
                {"member": member, "channel": channel, "last_read": last_read}
                for channel, last_read in marks
            ],
        )


def _values_of(held: Held) -> Values:
    message = held.message
    return {
        "channel": message.channel,
        "id": message.id,
        "server": message.server,
        "root": held.entry.root,
        "author": message.author,
        "kind": message.kind,
        "text": message.text,
        "nonce": message.nonce,
        "edited_at_ms": message.edited_at_ms,
        "reply_to": message.reply_to,
        "pinned_at_ms": held.pinned_at_ms,
        "thread": message.thread,
        "details": details_of(message),
    }
