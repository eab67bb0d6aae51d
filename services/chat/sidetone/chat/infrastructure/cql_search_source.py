"""Messages for the search index, out of CQL; which channels have any is known to the database."""

from collections.abc import Sequence
from uuid import UUID

from sidetone.chat.application.search import Hit
from sidetone.chat.infrastructure.cql import Cql
from sidetone.chat.infrastructure.cql_rows import CqlRows
from sidetone.chat.infrastructure.cql_shelf import CqlShelf
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.storage import Database

_NOWHERE = UUID(int=0)


class CqlSearchSource:
    """Reads what is written at the moment it is asked."""

    def __init__(self, database: Database, session: Cql) -> None:
        self._rows = CqlRows(session)
        self._shelf = CqlShelf(database, session)

    async def read(self, hits: Sequence[Hit]) -> Sequence[Entry]:
        """Return those of *hits* that exist, in any order."""
        return [held.entry for held in await self._rows.every(hits)]

    async def scan(self, after: Hit, limit: int) -> Sequence[Entry]:
        """Return messages behind *after*, by channel and id."""
        channel, message = after
        held = await self._rows.after(channel, message, limit)
        while len(held) < limit and (later := await self._shelf.channels(channel, 1)):
            channel = later[0]
            held += await self._rows.after(channel, _NOWHERE, limit - len(held))
        return [each.entry for each in held]
