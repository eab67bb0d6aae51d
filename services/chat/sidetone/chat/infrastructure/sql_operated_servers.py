"""Servers from above, in a relational database."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.application.operator_ports import ServerLine
from sidetone.protocol.ids import ServerId, UserId
from sidetone.storage import Database

_LINES = """
SELECT id, name, owner,
    (SELECT count(*) FROM members WHERE members.server = servers.id),
    (SELECT count(*) FROM channels WHERE channels.server = servers.id),
    created_at_ms
FROM servers WHERE kind = 'community'
"""
_PAGE = (
    f"{_LINES} AND id > :after AND lower(name) LIKE :pattern ESCAPE '!' ORDER BY id LIMIT :limit"
)
_ESCAPES = str.maketrans({"!": "!!", "%": "!%", "_": "!_"})
_FIRST = ServerId(UUID(int=0))
_Line = tuple[ServerId, str, UserId, int, int, int]


class SqlOperatedServers:
    """Reads alone; what an operator changes goes the way of all changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, search: str, after: ServerId | None, limit: int) -> Sequence[ServerLine]:
        """Return the servers whose name contains *search*, the oldest first, from *after* on."""
        values = {
            "pattern": f"%{search.lower().translate(_ESCAPES)}%",
            "after": after or _FIRST,
            "limit": limit,
        }
        rows = await self._database.fetch(_PAGE, values)
        return [ServerLine(*row) for row in msgspec.convert(rows, list[_Line])]

    async def find(self, server: ServerId) -> ServerLine | None:
        """Return one of them."""
        rows = await self._database.fetch(f"{_LINES} AND id = :server", {"server": server})
        found = msgspec.convert(rows, list[_Line])
        return ServerLine(*found[0]) if found else None
