"""The one who tells Typesense what messages are: from the queue, and from all of them anew.

One process of the cluster at a time takes the oldest rows of the queue, writes what the messages
are by now, and deletes the rows. A process that dies in between does that work again, which does
no harm; nothing is forgotten, and while Typesense is away the queue waits.

A rebuild fills another collection beside the one that is searched, a piece of all messages and a
piece of the queue in turn. Until it takes over, the queue is told to both. What is read for it can
be changed a moment later, but then it stands in the queue behind.
"""

import asyncio
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

import msgspec
import structlog

from sidetone.chat.application.search import Hit
from sidetone.chat.infrastructure.search_index import Source
from sidetone.chat.infrastructure.typesense import Typesense
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.storage import Database, Transaction
from sidetone.telemetry.metrics import counter, gauge

POLL_SECONDS = 0.25
AT_ONCE = 250

_AWAY_SECONDS = 1.0
_OLDEST = "SELECT number, channel, message FROM search_queue ORDER BY number LIMIT :limit"
_UNQUEUE = "DELETE FROM search_queue WHERE number = :number"
_ASK_REBUILD = """
INSERT INTO search_rebuilds (number, collection, channel, message, messages)
VALUES (1, :collection, :nowhere, :nowhere, 0) ON CONFLICT (number) DO NOTHING
"""
_REBUILD = "SELECT collection, channel, message, messages FROM search_rebuilds"
_BEGIN_REBUILD = """
UPDATE search_rebuilds
SET collection = :collection, channel = :nowhere, message = :nowhere, messages = 0
"""
_NOTE_PLACE = """
UPDATE search_rebuilds SET channel = :channel, message = :message, messages = messages + :count
"""
_END_REBUILD = "DELETE FROM search_rebuilds"
_NOWHERE = UUID(int=0)

_INDEXED = counter("sidetone_search_indexed_total", "Changes of messages told to the index.")
_LAG = gauge(
    "sidetone_search_lag_seconds",
    "How long this process has not seen the end of the queue of the index.",
)
_log = structlog.get_logger(__name__)


class Rebuild(msgspec.Struct, frozen=True):
    """How far a rebuild is; the collection has no name until it is begun."""

    collection: str
    channel: ChannelId
    message: MessageId
    messages: int


async def ask_rebuild(rows: Transaction) -> bool:
    """Have the index built anew by whoever indexes; False where that is under way already."""
    return await rows.execute(_ASK_REBUILD, {"collection": "", "nowhere": _NOWHERE}) == 1


async def rebuild_under_way(rows: Transaction) -> Rebuild | None:
    """Return the rebuild that is asked for or under way."""
    found = msgspec.convert(
        await rows.fetch(_REBUILD, {}), list[tuple[str, ChannelId, MessageId, int]]
    )
    return Rebuild(*found[0]) if found else None


class SearchIndexer:
    """Works for as long as the process lives; who searches does so with *search_key*, if any."""

    def __init__(
        self, database: Database, engine: Typesense, source: Source, search_key: str = ""
    ) -> None:
        self._database = database
        self._engine = engine
        self._source = source
        self._search_key = search_key
        self._is_ready = False
        self._behind_since = monotonic()

    async def work(self) -> None:
        """Tell what is queued; when that is ended, the connections are closed."""
        try:
            while True:
                rest_seconds = await self._turn()
                await asyncio.sleep(rest_seconds)
        finally:
            await self._engine.close()

    async def _turn(self) -> float:
        """Do what there is to do; return how long to rest."""
        try:
            while await self._piece():
                _LAG.set(monotonic() - self._behind_since)
            self._behind_since = monotonic()
        except Exception as error:
            # A log of requests that failed would hold the texts that were in them.
            _log.warning("search_waits", reason=type(error).__name__)
            self._is_ready = False
            _LAG.set(monotonic() - self._behind_since)
            return _AWAY_SECONDS
        _LAG.set(0)
        return POLL_SECONDS

    async def _piece(self) -> bool:
        """Do a bounded piece of the work, alone in the cluster; True: there is more."""
        async with self._database.alone("search index of chat") as rows:
            queued = msgspec.convert(
                await rows.fetch(_OLDEST, {"limit": AT_ONCE}),
                list[tuple[int, ChannelId, MessageId]],
            )
            rebuild = await rebuild_under_way(rows)
            if self._is_ready and not queued and rebuild is None:
                return False
            # Asked anew each time: another process may have finished a rebuild.
            current, rebuild = await self._collections(rows, rebuild)
            self._is_ready = True
            targets = {current} if rebuild is None else {current, rebuild.collection}
            await self._tell(targets, [(channel, message) for _, channel, message in queued])
            await rows.execute_many(_UNQUEUE, [{"number": number} for number, _, _ in queued])
            _INDEXED.inc(len(queued))
            if rebuild is not None:
                await self._scan(rows, rebuild)
        return rebuild is not None or len(queued) == AT_ONCE

    async def _collections(
        self, rows: Transaction, rebuild: Rebuild | None
    ) -> tuple[str, Rebuild | None]:
        """Return what is searched, and the rebuild; an engine that has lost all begins anew."""
        current = await self._engine.current()
        if self._search_key and (current is None or not self._is_ready):
            await self._engine.admit(self._search_key)
        if current is not None and rebuild is None:
            return current, None
        if rebuild is None:
            await ask_rebuild(rows)
            rebuild = Rebuild("", ChannelId(_NOWHERE), MessageId(_NOWHERE), 0)
        if not await self._engine.has(rebuild.collection):
            rebuild = Rebuild(
                await self._engine.create(), ChannelId(_NOWHERE), MessageId(_NOWHERE), 0
            )
            values = {"collection": rebuild.collection, "nowhere": _NOWHERE}
            await rows.execute(_BEGIN_REBUILD, values)
        if current is None:
            # Nothing is found yet, so let at once be found what is there already.
            current = rebuild.collection
            await self._engine.use(current)
        return current, rebuild

    async def _tell(self, targets: set[str], hits: Sequence[Hit]) -> None:
        if not hits:
            return
        wanted = list(dict.fromkeys(hits))
        present = await self._source.read(wanted)
        there = {entry.message.id for entry in present}
        gone = [message for _, message in wanted if message not in there]
        for collection in targets:
            await self._engine.write(collection, present, gone)

    async def _scan(self, rows: Transaction, rebuild: Rebuild) -> None:
        """Take the next messages into the new collection; after the last it takes over."""
        entries = await self._source.scan((rebuild.channel, rebuild.message), AT_ONCE)
        if entries:
            await self._engine.write(rebuild.collection, entries, [])
            last = entries[-1].message
            await rows.execute(
                _NOTE_PLACE,
                {"channel": last.channel, "message": last.id, "count": len(entries)},
            )
        if len(entries) < AT_ONCE:
            await self._engine.use(rebuild.collection)
            await rows.execute(_END_REBUILD, {})
            await self._engine.drop_others(rebuild.collection)
            _log.info("search_rebuilt", messages=rebuild.messages + len(entries))
