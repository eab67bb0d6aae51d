"""How users want to be seen, in a relational database."""

import msgspec

from sidetone.presence.domain.status import PLAIN, Wish
from sidetone.protocol.ids import UserId
from sidetone.protocol.social import WishedStatus
from sidetone.storage import Database

_Row = tuple[WishedStatus, str, str, int | None, int | None]


class SqlWishes:
    """One row per user who ever wished something, or was seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, user: UserId) -> tuple[Wish, int | None]:
        """Return the wish of *user*, and when they were seen last."""
        rows = await self._database.fetch(
            """
            SELECT status, note, game, clears_at_ms, last_seen_ms FROM presences
            WHERE member = :user LIMIT 1
            """,
            {"user": user},
        )
        if not rows:
            return PLAIN, None
        status, text, game, clears_at_ms, last_seen_ms = msgspec.convert(rows[0], _Row)
        return Wish(status, text, game, clears_at_ms), last_seen_ms

    async def put(self, user: UserId, wish: Wish) -> None:
        """Store *wish*."""
        await self._database.execute(
            """
            INSERT INTO presences (member, status, note, game, clears_at_ms)
            VALUES (:user, :status, :text, :game, :clears_at_ms)
            ON CONFLICT (member) DO UPDATE SET status = excluded.status, note = excluded.note,
                game = excluded.game, clears_at_ms = excluded.clears_at_ms
            """,
            {"user": user, **msgspec.structs.asdict(wish)},
        )

    async def seen(self, user: UserId, last_seen_ms: int) -> None:
        """Store when *user* was seen last."""
        await self._database.execute(
            """
            INSERT INTO presences (member, status, note, game, last_seen_ms)
            VALUES (:user, 'online', '', '', :last_seen_ms)
            ON CONFLICT (member) DO UPDATE SET last_seen_ms = excluded.last_seen_ms
            """,
            {"user": user, "last_seen_ms": last_seen_ms},
        )

    async def forget(self, user: UserId) -> None:
        """Forget all about *user*."""
        await self._database.execute("DELETE FROM presences WHERE member = :user", {"user": user})
