"""What outlived its channel in CQL, found by what the relational database knows of channels."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.domain.reading import id_before
from sidetone.chat.infrastructure.cql import Cql
from sidetone.chat.infrastructure.cql_log import CqlLog, Logged
from sidetone.chat.infrastructure.cql_rows import DROP_NONCE, CqlRows, bucket_of
from sidetone.chat.infrastructure.search_index import SearchIndex
from sidetone.chat.infrastructure.sql_leftovers import SqlLeftovers
from sidetone.chat.infrastructure.sql_threads import SqlThreads
from sidetone.protocol.ids import ChannelId, FileId, MessageId
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel
from sidetone.storage import Database, Transaction

_CHANNELS = """
SELECT channel FROM message_channels
WHERE NOT EXISTS (SELECT 1 FROM channels WHERE channels.id = message_channels.channel)
ORDER BY channel LIMIT :limit
"""
_DROP_FILE = "INSERT INTO file_drops (file) VALUES (:file) ON CONFLICT DO NOTHING"
_FORGET_CHANNEL = "DELETE FROM message_channels WHERE channel = :channel"
_CLEAR = """
DELETE FROM messages USING TIMESTAMP :at_us
WHERE channel = :channel AND bucket = :bucket AND id <= :last
"""
_CLEAR_BUCKET = (
    "DELETE FROM messages USING TIMESTAMP :at_us WHERE channel = :channel AND bucket = :bucket",
    "DELETE FROM reactions USING TIMESTAMP :at_us WHERE channel = :channel AND bucket = :bucket",
)
_CLEAR_CHANNEL = (
    "DELETE FROM buckets USING TIMESTAMP :at_us WHERE channel = :channel",
    "DELETE FROM mentions USING TIMESTAMP :at_us WHERE channel = :channel",
    "DELETE FROM pins USING TIMESTAMP :at_us WHERE channel = :channel",
)
_FIRST = MessageId(UUID(int=0))
_AT_ONCE = 100


class CqlLeftovers:
    """Removes a few rows at a time, and what a channel was of its own with the last of them.

    Read marks in a channel that is gone stay until their user goes: nobody asks for them.
    """

    def __init__(self, database: Database, session: Cql, log: CqlLog, index: SearchIndex) -> None:
        self._database = database
        self._rows = CqlRows(session)
        self._log = log
        self._index = index
        self._files = SqlLeftovers(database, index)

    async def channels(self, limit: int) -> list[ChannelId]:
        """Return channels that hold messages and exist no more."""
        rows = await self._database.fetch(_CHANNELS, {"limit": limit})
        return [msgspec.convert(row[0], ChannelId) for row in rows]

    async def clear(self, channel: ChannelId, limit: int) -> int:
        """Remove the oldest messages of a channel that is gone; return how many there were."""
        async with self._log.change(channel) as logged:
            held = await self._rows.after(channel, _FIRST, limit)
            messages = [each.message for each in held]
            await self._clear_beside(logged.rows, channel, messages)
            for message in messages:
                logged.follow(message.id)
                if message.nonce is not None:
                    values = {"channel": channel, "author": message.author}
                    logged.write(DROP_NONCE, {**values, "nonce": message.nonce})
            # Ids go upwards, so the last of each bucket is the one that stays here.
            last = {bucket_of(message.id): message.id for message in messages}
            for bucket, id_ in last.items():
                logged.write(_CLEAR, {"channel": channel, "bucket": bucket, "last": id_})
            if len(messages) < limit:
                await self._clear_rest(logged, channel)
        return len(messages)

    async def _clear_beside(
        self, rows: Transaction, channel: ChannelId, messages: Sequence[Message]
    ) -> None:
        """Clear what the relational database knows of *messages*."""
        files = [file.id for message in messages for file in message.attachments]
        await rows.execute_many(_DROP_FILE, [{"file": file} for file in files])
        if messages:
            await self._index.drop(rows, channel, [message.id for message in messages])

    async def _clear_rest(self, logged: Logged, channel: ChannelId) -> None:
        """Clear what is the channel's own, once its messages are gone."""
        for bucket, _ in await self._rows.buckets_since(channel, _FIRST):
            for statement in _CLEAR_BUCKET:
                logged.write(statement, {"channel": channel, "bucket": bucket})
        for statement in _CLEAR_CHANNEL:
            logged.write(statement, {"channel": channel})
        await logged.rows.execute(_FORGET_CHANNEL, {"channel": channel})

    async def files(self, limit: int) -> list[FileId]:
        """Return files that nobody has dropped yet."""
        return await self._files.files(limit)

    async def forget_files(self, files: Sequence[FileId]) -> None:
        """Note that *files* were dropped."""
        await self._files.forget_files(files)


class CqlThreads:
    """Threads from the relational database, and from CQL when they were written in last."""

    def __init__(self, database: Database, session: Cql) -> None:
        self._threads = SqlThreads(database)
        self._rows = CqlRows(session)

    async def archived(
        self, parent: ChannelId, cursor: ChannelId | None, limit: int
    ) -> Page[Channel]:
        """Return the archived threads of a channel, newest first."""
        return await self._threads.archived(parent, cursor, limit)

    async def idle(self, since: MessageId, limit: int) -> list[Channel]:
        """Return open threads that began, and were written in last, before *since*."""
        found: list[Channel] = []
        after: ChannelId | None = None
        while len(found) < limit:
            threads = await self._threads.open_before(since, after, _AT_ONCE)
            found += [thread for thread in threads if await self._is_quiet(thread.id, since)]
            if len(threads) < _AT_ONCE:
                break
            after = threads[-1].id
        return found[:limit]

    async def _is_quiet(self, thread: ChannelId, since: MessageId) -> bool:
        return not await self._rows.after(thread, id_before(since), 1)
