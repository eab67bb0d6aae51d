"""Closed accounts in a relational database."""

import msgspec

from sidetone.storage import Database

_COUNT = "SELECT COUNT(*) FROM accounts WHERE closed AND closed_at_ms < :before_ms"
_FORGET = "DELETE FROM accounts WHERE closed AND closed_at_ms < :before_ms"


class SqlClosedAccounts:
    """Nothing refers to a closed account any more: what did went with its closing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, before_ms: int) -> int:
        """Return how many were closed before then."""
        rows = await self._database.fetch(_COUNT, {"before_ms": before_ms})
        return msgspec.convert(rows[0][0], int)

    async def forget(self, before_ms: int) -> int:
        """Forget those that were closed before then; return how many there were."""
        return await self._database.execute(_FORGET, {"before_ms": before_ms})
