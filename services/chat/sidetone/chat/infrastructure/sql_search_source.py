"""Messages for the search index, from the tables that SQLite and PostgreSQL share."""

from collections.abc import Sequence
from uuid import UUID

from sidetone.chat.application.search import Hit
from sidetone.chat.infrastructure.message_rows import COLUMNS, entry_of, wanted_rows
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.storage import Database

_AT_ONCE = 50
_READ = f"""
{wanted_rows("home message", _AT_ONCE)}
SELECT {COLUMNS} FROM wanted JOIN messages
  ON messages.channel = wanted.home AND messages.id = wanted.message
"""  # noqa: S608 - constants
_SCAN = f"""
SELECT {COLUMNS} FROM messages WHERE (channel, id) > (:channel, :message)
ORDER BY channel, id LIMIT :limit
"""  # noqa: S608 - constants
_NOWHERE = UUID(int=0)


class SqlSearchSource:
    """Reads what is committed at the moment it is asked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, hits: Sequence[Hit]) -> Sequence[Entry]:
        """Return those of *hits* that exist, in any order."""
        found: list[Entry] = []
        for start in range(0, len(hits), _AT_ONCE):
            asked = hits[start : start + _AT_ONCE]
            values: dict[str, object] = {}
            for number in range(_AT_ONCE):
                home, message = asked[number] if number < len(asked) else (_NOWHERE, _NOWHERE)
                values[f"home{number}"], values[f"message{number}"] = home, message
            found += [entry_of(row) for row in await self._database.fetch(_READ, values)]
        return found

    async def scan(self, after: Hit, limit: int) -> Sequence[Entry]:
        """Return messages behind *after*, by channel and id."""
        channel, message = after
        values = {"channel": channel, "message": message, "limit": limit}
        return [entry_of(row) for row in await self._database.fetch(_SCAN, values)]
