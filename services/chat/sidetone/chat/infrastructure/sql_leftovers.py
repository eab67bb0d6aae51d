"""What outlived what it belonged to, found in the tables."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.infrastructure.message_rows import COLUMNS, entry_of
from sidetone.chat.infrastructure.search_index import SearchIndex
from sidetone.protocol.ids import ChannelId, FileId
from sidetone.storage import Database

# From one channel to the next by the index, whatever they hold.
_CHANNELS = """
WITH RECURSIVE held (channel) AS (
  SELECT (SELECT channel FROM messages ORDER BY channel LIMIT 1)
  UNION ALL
  SELECT (
    SELECT messages.channel FROM messages
    WHERE messages.channel > held.channel ORDER BY messages.channel LIMIT 1
  ) FROM held WHERE held.channel IS NOT NULL
)
SELECT held.channel FROM held
WHERE held.channel IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM channels WHERE channels.id = held.channel)
LIMIT :limit
"""
_OLDEST = f"SELECT {COLUMNS} FROM messages WHERE channel = :channel ORDER BY id LIMIT :limit"  # noqa: S608 - a constant
_DROP_FILE = "INSERT INTO file_drops (file) VALUES (:file) ON CONFLICT DO NOTHING"
_CLEAR = (
    "DELETE FROM mentions WHERE channel = :channel AND message <= :last",
    "DELETE FROM reactions WHERE channel = :channel AND message <= :last",
    "DELETE FROM reaction_kinds WHERE channel = :channel AND message <= :last",
    "DELETE FROM read_states WHERE channel = :channel",
)
_DELETE = "DELETE FROM messages WHERE channel = :channel AND id <= :last"


class SqlLeftovers:
    """Removes a few rows at a time, so that nobody waits long behind a large channel."""

    def __init__(self, database: Database, index: SearchIndex) -> None:
        self._database = database
        self._index = index

    async def channels(self, limit: int) -> list[ChannelId]:
        """Return channels that hold messages and exist no more."""
        rows = await self._database.fetch(_CHANNELS, {"limit": limit})
        # SQLite gives an expression back as it is stored.
        return [
            ChannelId(
                UUID(bytes=value) if isinstance(value, bytes) else msgspec.convert(value, UUID)
            )
            for (value,) in rows
        ]

    async def clear(self, channel: ChannelId, limit: int) -> int:
        """Remove the oldest messages of a channel that is gone; return how many there were."""
        async with self._database.transaction() as rows:
            found = await rows.fetch(_OLDEST, {"channel": channel, "limit": limit})
            messages = [entry_of(row).message for row in found]
            if messages:
                for statement in (*_CLEAR, _DELETE):
                    await rows.execute(statement, {"channel": channel, "last": messages[-1].id})
                files = [file.id for message in messages for file in message.attachments]
                await rows.execute_many(_DROP_FILE, [{"file": file} for file in files])
                await self._index.drop(rows, channel, [message.id for message in messages])
        return len(messages)

    async def files(self, limit: int) -> list[FileId]:
        """Return files that nobody has dropped yet."""
        rows = await self._database.fetch(
            "SELECT file FROM file_drops ORDER BY file LIMIT :limit", {"limit": limit}
        )
        return [msgspec.convert(row[0], FileId) for row in rows]

    async def forget_files(self, files: Sequence[FileId]) -> None:
        """Note that *files* were dropped."""
        await self._database.execute_many(
            "DELETE FROM file_drops WHERE file = :file", [{"file": file} for file in files]
        )
