"""How long messages are kept, in the table of servers."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.application.retention import Kept
from sidetone.protocol.ids import ChannelId, MessageId, ServerId
from sidetone.storage import Database

_PAGE = """
SELECT id, name, COALESCE(retention_days, :platform_days) FROM servers
WHERE id > :after AND COALESCE(retention_days, :platform_days) > 0 ORDER BY id LIMIT :limit
"""
_CHANNELS = "SELECT id FROM channels WHERE server = :server AND kind <> 'category'"
_COUNT = "SELECT COUNT(*) FROM messages WHERE channel = :channel AND id < :before"
_PUT = "UPDATE servers SET retention_days = :days WHERE id = :server"
_FIRST = ServerId(UUID(int=0))


class SqlRetention:
    """Read anew each time: what an operator changes holds from the next sweep on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, platform_days: int, after: ServerId | None, limit: int) -> Sequence[Kept]:
        """Return servers with a limit, or all where the platform has one, from *after* on."""
        values = {"platform_days": platform_days, "after": after or _FIRST, "limit": limit}
        rows = await self._database.fetch(_PAGE, values)
        return [Kept(*row) for row in msgspec.convert(rows, list[tuple[ServerId, str, int]])]

    async def channels(self, server: ServerId) -> Sequence[ChannelId]:
        """Return the channels of *server*, archived threads too."""
        rows = await self._database.fetch(_CHANNELS, {"server": server})
        return [id_ for (id_,) in msgspec.convert(rows, list[tuple[ChannelId]])]

    async def count(self, channel: ChannelId, before: MessageId) -> int:
        """Return how many messages of *channel* are older."""
        rows = await self._database.fetch(_COUNT, {"channel": channel, "before": before})
        return msgspec.convert(rows[0][0], int)

    async def put(self, server: ServerId, days: int | None) -> None:
        """Keep the messages of *server* for so long; None: as long as those of all others."""
        await self._database.execute(_PUT, {"server": server, "days": days})
