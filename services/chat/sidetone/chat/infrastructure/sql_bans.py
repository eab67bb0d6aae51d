"""Bans in a relational database."""

from uuid import UUID

import msgspec

from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Ban
from sidetone.storage import Row, Transaction

_BANS = "SELECT member, actor, reason, banned_at_ms FROM bans"


class SqlBans:
    """Who may not come back."""

    def __init__(self, rows: Transaction) -> None:
        self._rows = rows

    async def find(self, server: ServerId, user: UserId) -> Ban | None:
        """Return the ban of *user*."""
        found = await self._rows.fetch(
            f"{_BANS} WHERE server = :server AND member = :user",
            {"server": server, "user": user},
        )
        return _ban(found[0]) if found else None

    async def of(self, server: ServerId, cursor: UserId | None, limit: int) -> Page[Ban]:
        """Return the bans of *server*, in the order of the users' ids."""
        found = await self._rows.fetch(
            f"""
            {_BANS} WHERE server = :server AND member > :cursor
            ORDER BY member LIMIT :limit
            """,
            {"server": server, "cursor": cursor or UUID(int=0), "limit": limit + 1},
        )
        bans = [_ban(row) for row in found[:limit]]
        return Page(bans, str(bans[-1].user) if len(found) > limit else None)

    async def count(self, server: ServerId) -> int:
        """Return how many are banned."""
        found = await self._rows.fetch(
            "SELECT COUNT(*) FROM bans WHERE server = :server", {"server": server}
        )
        return msgspec.convert(found[0][0], int)

    async def put(self, server: ServerId, ban: Ban) -> None:
        """Store a ban, in the place of an earlier one."""
        await self._rows.execute(
            """
            INSERT INTO bans (server, member, actor, reason, banned_at_ms)
            VALUES (:server, :user, :actor, :reason, :banned_at_ms)
            ON CONFLICT (server, member) DO UPDATE
            SET actor = excluded.actor, reason = excluded.reason,
                banned_at_ms = excluded.banned_at_ms
            """,
            {"server": server, **msgspec.structs.asdict(ban)},
        )

    async def remove(self, server: ServerId, user: UserId) -> bool:
        """Lift a ban; return whether there was one."""
        removed = await self._rows.execute(
            "DELETE FROM bans WHERE server = :server AND member = :user",
            {"server": server, "user": user},
        )
        return removed == 1


def _ban(row: Row) -> Ban:
    return Ban(*msgspec.convert(row, tuple[UserId, UserId, str, int]))
