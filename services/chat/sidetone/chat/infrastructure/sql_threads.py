"""Threads that are not in memory, from the table of channels."""

from uuid import UUID

import msgspec

from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel
from sidetone.storage import Database, Row

_COLUMNS = """
id, server, name, position, parent, topic, slow_mode_seconds, origin, creator, archived
"""
_ARCHIVED = f"""
SELECT {_COLUMNS} FROM channels
WHERE parent = :parent AND archived = :yes AND kind = 'thread' AND id < :cursor
ORDER BY id DESC LIMIT :limit
"""  # noqa: S608 - constants
_IDLE = f"""
SELECT {_COLUMNS} FROM channels
WHERE kind = 'thread' AND archived = :no AND id < :since AND NOT EXISTS (
  SELECT 1 FROM messages WHERE messages.channel = channels.id AND messages.id >= :since
)
ORDER BY id LIMIT :limit
"""  # noqa: S608 - constants
_OPEN = f"""
SELECT {_COLUMNS} FROM channels
WHERE kind = 'thread' AND archived = :no AND id > :after AND id < :since
ORDER BY id LIMIT :limit
"""  # noqa: S608 - constants
_FIRST, _LAST = UUID(int=0), UUID(int=(1 << 128) - 1)
_Row = tuple[
    ChannelId,
    ServerId,
    str,
    int,
    ChannelId | None,
    str,
    int,
    MessageId | None,
    UserId | None,
    bool,
]


class SqlThreads:
    """Reads what others write: threads are changed as channels of their server."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def archived(
        self, parent: ChannelId, cursor: ChannelId | None, limit: int
    ) -> Page[Channel]:
        """Return the archived threads of a channel, newest first."""
        rows = await self._database.fetch(
            _ARCHIVED,
            {"parent": parent, "yes": True, "cursor": cursor or _LAST, "limit": limit + 1},
        )
        found = [_channel(row) for row in rows]
        more = str(found[limit - 1].id) if len(found) > limit else None
        return Page(found[:limit], more)

    async def idle(self, since: MessageId, limit: int) -> list[Channel]:
        """Return open threads that began, and were written in last, before *since*."""
        rows = await self._database.fetch(_IDLE, {"no": False, "since": since, "limit": limit})
        return [_channel(row) for row in rows]

    async def open_before(
        self, since: MessageId, after: ChannelId | None, limit: int
    ) -> list[Channel]:
        """Return open threads that began before *since*, the oldest first, those *after* one."""
        values = {"no": False, "since": since, "after": after or _FIRST, "limit": limit}
        return [_channel(row) for row in await self._database.fetch(_OPEN, values)]


def _channel(row: Row) -> Channel:
    id_, server, name, position, parent, topic, slow, origin, creator, archived = msgspec.convert(
        row, _Row
    )
    return Channel(
        id_,
        server,
        name,
        "thread",
        position,
        parent,
        topic,
        slow,
        origin=origin,
        creator=creator,
        archived=archived,
    )
