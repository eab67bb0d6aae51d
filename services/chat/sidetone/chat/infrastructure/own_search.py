"""Which index there is where nobody named one."""

from collections.abc import Sequence

from typing_extensions import override

from sidetone.bus.tasks import Tasks
from sidetone.chat.application.search import Hit
from sidetone.chat.domain.search_query import SearchQuery
from sidetone.chat.infrastructure.fts_search import FtsSearch
from sidetone.chat.infrastructure.search_index import Entry, SearchIndex
from sidetone.chat.infrastructure.typesense_search import SearchQueue
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.refusals import Unavailable
from sidetone.storage import Database, Transaction


async def own_search(database: Database) -> SearchIndex:
    """Return the index that *database* brings along: SQLite has one, others have none.

    Raises ``Unavailable``.
    """
    return FtsSearch(database) if await _is_sqlite(database) else NoSearch()


async def index_to_fill(database: Database, tasks: Tasks) -> FtsSearch | SearchQueue:
    """Return where messages go that are stored beside the services: the index, or its queue.

    Raises ``Unavailable``.
    """
    if not await _is_sqlite(database):
        return SearchQueue()
    search = FtsSearch(database)
    await search.begin(tasks)
    return search


async def _is_sqlite(database: Database) -> bool:
    try:
        await database.fetch("SELECT sqlite_version()", {})
    except Unavailable:
        raise
    except Exception:
        return False
    return True


class NoSearch(SearchIndex):
    """Keeps nothing and finds nothing: the operator has set up no search engine."""

    @override
    async def begin(self, tasks: Tasks) -> None:
        """Do nothing."""

    @override
    async def put(self, rows: Transaction, entries: Sequence[Entry]) -> None:
        """Do nothing."""

    @override
    async def drop(
        self, rows: Transaction, channel: ChannelId, messages: Sequence[MessageId]
    ) -> None:
        """Do nothing."""

    @override
    async def find(
        self, query: SearchQuery, cursor: str | None, limit: int
    ) -> tuple[Sequence[Hit], str | None]:
        """Refuse: nothing found would be a lie."""
        raise Unavailable(
            "search_missing", "this deployment has no search engine; ask its operator for one"
        )
