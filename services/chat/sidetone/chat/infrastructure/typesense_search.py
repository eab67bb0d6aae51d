"""The search index of a cluster: Typesense, fed through a queue table.

The only module that knows Typesense. Each change of a message puts a row into the queue in the
same transaction; one process of the cluster at a time takes the oldest rows, writes what the
messages are now, and deletes the rows. A process that dies in between does that work again, which
does no harm; nothing is forgotten, and while Typesense is away the queue waits.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from time import monotonic
from typing import Any, TypeAlias, cast
from urllib.parse import urlsplit

import msgspec
import structlog
from typesense.async_.api_call import AsyncApiCall
from typesense.async_.collections import AsyncCollections
from typesense.async_.documents import AsyncDocuments
from typesense.async_.multi_search import AsyncMultiSearch
from typesense.configuration import Configuration
from typesense.exceptions import ObjectAlreadyExists

from sidetone.bus.tasks import Tasks
from sidetone.chat.application.search import Hit
from sidetone.chat.domain.message import traits
from sidetone.chat.domain.search_query import SearchQuery, indexed_words
from sidetone.chat.infrastructure.message_rows import COLUMNS, entry_of
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.refusals import Invalid, Unavailable
from sidetone.storage import Database, Transaction
from sidetone.telemetry.metrics import counter, gauge

_AT_ONCE = 250
_POLL_SECONDS = 1.0
_COMMIT_SECONDS = 0.05
_ORDER_LENGTH_MAX = 19
_TIMEOUT_SECONDS = 3.0
_OLDEST = "SELECT number, channel, message FROM search_queue ORDER BY number LIMIT :limit"
_QUEUE = "INSERT INTO search_queue (channel, message) VALUES (:channel, :message)"
_UNQUEUE = "DELETE FROM search_queue WHERE number = :number"
_MESSAGE = f"SELECT {COLUMNS} FROM messages WHERE channel = :channel AND id = :message"  # noqa: S608 - a constant

_INDEXED = counter("sidetone_search_indexed_total", "Changes of messages told to the index.")
_LAG = gauge(
    "sidetone_search_lag_seconds",
    "How long this process has not seen the end of the queue of the index.",
)
# Returns those of the messages that exist; the transaction is that of the queue.
ReadEntries: TypeAlias = Callable[[Transaction, Sequence[Hit]], Awaitable[list[Entry]]]

_log = structlog.get_logger(__name__)


class TypesenseSearch:
    """Finds messages in a Typesense collection."""

    def __init__(
        self,
        database: Database,
        api: AsyncApiCall,
        collection: str,
        read: ReadEntries | None = None,
    ) -> None:
        self._database = database
        self._read = read or _read_sql
        self._api = api
        self._collection = collection
        self._documents: AsyncDocuments[Any] = AsyncDocuments(api, collection)
        self._queued = asyncio.Event()

    @classmethod
    def connect(
        cls,
        database: Database,
        url: str,
        api_key: str,
        collection: str = "messages",
        read: ReadEntries | None = None,
    ) -> "TypesenseSearch":
        """Return the index at *url*; it need not be up yet.

        *read* returns what is stored of some messages, where that is not in *database*.
        """
        place = urlsplit(url)
        node = {
            "host": place.hostname or "localhost",
            "port": place.port or (443 if place.scheme == "https" else 80),
            "protocol": place.scheme or "http",
        }
        settings = {
            "nodes": [node],
            "api_key": api_key,
            "num_retries": 0,
            "connection_timeout_seconds": _TIMEOUT_SECONDS,
        }
        api = AsyncApiCall(Configuration(cast("Any", settings)))
        return cls(database, api, collection, read)

    async def begin(self, tasks: Tasks) -> None:
        """Start to drain the queue; when that is ended, the connections are closed."""
        tasks.start(self._work())

    # --- What the messages tell ---

    async def put(self, rows: Transaction, entries: Sequence[Entry]) -> None:
        """Queue *entries*."""
        await self._queue(rows, [(entry.message.channel, entry.message.id) for entry in entries])

    async def drop(
        self, rows: Transaction, channel: ChannelId, messages: Sequence[MessageId]
    ) -> None:
        """Queue *messages*; that they are gone is seen when their turn comes."""
        await self._queue(rows, [(channel, message) for message in messages])

    async def _queue(self, rows: Transaction, hits: Sequence[Hit]) -> None:
        await rows.execute_many(
            _QUEUE, [{"channel": channel, "message": message} for channel, message in hits]
        )
        self._queued.set()

    # --- What Typesense is told ---

    async def _work(self) -> None:
        try:
            await self._drain()
        finally:
            await self._api.aclose()

    async def _drain(self) -> None:
        """Tell what is queued, for as long as the process lives."""
        is_ready = False
        behind_since = monotonic()
        while True:
            try:
                if not is_ready:
                    await self._create_collection()
                    is_ready = True
                while await self._tell_oldest() == _AT_ONCE:
                    _LAG.set(monotonic() - behind_since)
                behind_since = monotonic()
            except Exception as error:
                # A log of requests that failed would hold the texts that were in them.
                _log.warning("search_waits", reason=type(error).__name__)
                is_ready = False
            _LAG.set(monotonic() - behind_since)
            await self._something_queued(at_once=is_ready)

    async def _something_queued(self, *, at_once: bool) -> None:
        if not at_once:
            await asyncio.sleep(_POLL_SECONDS)
            return
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._queued.wait()
        except TimeoutError:
            return
        self._queued.clear()
        # What was queued is seen when its transaction has ended.
        await asyncio.sleep(_COMMIT_SECONDS)

    async def _create_collection(self) -> None:
        facet = {"type": "string", "index": True}
        schema = {
            "name": self._collection,
            "fields": [
                {"name": "words", "type": "string"},
                *({"name": name, **facet} for name in ("server", "root", "channel", "author")),
                {"name": "traits", "type": "string[]"},
                {"name": "position", "type": "int64"},
            ],
            "default_sorting_field": "position",
        }
        try:
            await AsyncCollections[Any](self._api).create(cast("Any", schema))
        except ObjectAlreadyExists:
            return

    async def _tell_oldest(self) -> int:
        async with self._database.alone("search index of chat") as rows:
            queued = msgspec.convert(
                await rows.fetch(_OLDEST, {"limit": _AT_ONCE}),
                list[tuple[int, ChannelId, MessageId]],
            )
            if not queued:
                return 0
            wanted = list(dict.fromkeys((channel, message) for _, channel, message in queued))
            present = await self._read(rows, wanted)
            there = {entry.message.id for entry in present}
            gone = [message for _, message in wanted if message not in there]
            await self._write(present, gone)
            await rows.execute_many(_UNQUEUE, [{"number": number} for number, _, _ in queued])
            _INDEXED.inc(len(queued))
        return len(queued)

    async def _write(self, present: Sequence[Entry], gone: Sequence[MessageId]) -> None:
        if present:
            answers = cast(
                "list[dict[str, object]]",
                await self._documents.import_(
                    cast("Any", [_document_of(entry) for entry in present]), {"action": "upsert"}
                ),
            )
            if not all(answer.get("success") for answer in answers):
                raise Unavailable("search_unavailable", "the search engine took not every message")
        if gone:
            ids = ",".join(message.hex for message in gone)
            await self._documents.delete({"filter_by": f"id:[{ids}]"})

    # --- What is asked ---

    async def find(
        self, query: SearchQuery, cursor: str | None, limit: int
    ) -> tuple[Sequence[Hit], str | None]:
        """Return up to *limit* hits, newest first, and the cursor of the next ones, if any."""
        if not query.channels:
            return [], None
        question = {
            "collection": self._collection,
            "q": " ".join(query.words) or "*",
            "query_by": "words",
            "filter_by": _filter(query, cursor),
            "sort_by": "position:desc",
            "per_page": limit + 1,
            "num_typos": 0,
            "typo_tokens_threshold": 0,
            "drop_tokens_threshold": 0,
            "split_join_tokens": "off",
            "include_fields": "id,channel,position",
            "highlight_fields": "none",
        }
        try:
            answer = await AsyncMultiSearch(self._api).perform(
                cast("Any", {"searches": [question]}), {}
            )
        except Exception as error:
            # Those of its transport come through as they are, and there is more than one.
            raise _unavailable() from error
        result = cast("dict[str, Any]", answer["results"][0])
        if "hits" not in result:
            raise _unavailable()
        found = msgspec.convert([hit["document"] for hit in result["hits"]], list[_Found])
        more = str(found[limit - 1].position) if len(found) > limit else None
        return [(each.channel, each.id) for each in found[:limit]], more


class _Found(msgspec.Struct, frozen=True):
    id: MessageId
    channel: ChannelId
    position: int


def _document_of(entry: Entry) -> dict[str, object]:
    message = entry.message
    return {
        "id": message.id.hex,
        "channel": message.channel.hex,
        "server": message.server.hex,
        "root": entry.root.hex,
        "author": message.author.hex,
        "words": " ".join(indexed_words(message.text)),
        "traits": sorted(traits(message)),
        "position": _position(message.id),
    }


def _position(message: MessageId) -> int:
    """Return what messages are sorted by: the upper 63 bits of the id, which begin with the time.

    Two messages of one server share one only within a millisecond, by a rare chance.
    """
    return message.int >> 65


def _filter(query: SearchQuery, cursor: str | None) -> str:
    parts = [
        f"server:={query.server.hex}",
        f"root:=[{','.join(channel.hex for channel in query.channels)}]",
        *(f"traits:={trait}" for trait in sorted(query.traits)),
    ]
    if query.author is not None:
        parts.append(f"author:={query.author.hex}")
    if query.thread is not None:
        parts.append(f"channel:={query.thread.hex}")
    if query.since is not None:
        parts.append(f"position:>={_position(query.since)}")
    if query.until is not None:
        parts.append(f"position:<{_position(query.until)}")
    if cursor is not None:
        if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _ORDER_LENGTH_MAX):
            raise Invalid(
                "cursor_unknown", "this cursor was not given out here; begin from the start"
            )
        parts.append(f"position:<{cursor}")
    return " && ".join(parts)


async def _read_sql(rows: Transaction, hits: Sequence[Hit]) -> list[Entry]:
    found = [
        await rows.fetch(_MESSAGE, {"channel": channel, "message": message})
        for channel, message in hits
    ]
    return [entry_of(each[0]) for each in found if each]


def _unavailable() -> Unavailable:
    return Unavailable("search_unavailable", "the search engine does not answer; try again later")
