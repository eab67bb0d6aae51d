"""What is to be written to CQL, logged in the relational database first.

CQL has no transaction over what a send or an edit touches, and none with the server's generation,
the search index and the outbox. So whatever changes is decided in one SQL transaction, which logs
the writes and the facts; after the commit the writes are done, and then, in a second transaction,
the row of the log gives way to its facts in the outbox. A process that dies in between leaves the
row: whoever finds it does the writes again, which changes nothing because each carries its own
time, and tells the facts. So nothing is told that cannot be read, and nothing is lost.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec
import structlog

from sidetone.chat.application.messages import Outdated
from sidetone.chat.infrastructure.cql import Ask, Cql
from sidetone.chat.infrastructure.cql_rows import BY_NONCE, made_at_us
from sidetone.chat.infrastructure.search_index import Entry, SearchIndex
from sidetone.protocol.events import (
    Audience,
    ClientEvent,
    Fact,
    MessageEdited,
    MessagesDeleted,
    MessageSent,
    ServiceEvent,
)
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.runtime.outbox import Outbox, Rows, new_fact
from sidetone.storage import Database, Transaction

# Whoever logged a row is done with it long before, if it still lives.
_LEFT_BEHIND_MS = 8_000
_POLL_SECONDS = 1.0
_AT_ONCE = 200

_INSERT = """
INSERT INTO message_log (id, place, author, nonce, logged_at_ms, entry)
VALUES (:id, :place, :author, :nonce, :now_ms, :entry) ON CONFLICT DO NOTHING
"""
# The server is compared in the statement itself: a decision on an older one logs nothing.
_INSERT_WHILE = """
INSERT INTO message_log (id, place, author, nonce, logged_at_ms, entry)
SELECT :id, :place, :author, :nonce, :now_ms, :entry
FROM servers WHERE servers.id = :server AND servers.generation = :generation
ON CONFLICT DO NOTHING
"""
_IS_LOGGED = "SELECT id FROM message_log WHERE id = :id"
_OF_PLACE = "SELECT entry FROM message_log WHERE place = :place ORDER BY number LIMIT :limit"
_OF_NONCE = """
SELECT entry FROM message_log WHERE place = :channel AND author = :author AND nonce = :nonce
"""
_LEFT_BEHIND = """
SELECT entry FROM message_log WHERE logged_at_ms < :before_ms ORDER BY number LIMIT :limit
"""
_DELETE = "DELETE FROM message_log WHERE id = :id"
_LOCK = """
INSERT INTO message_places (place, changed_at_us) VALUES (:place, 0)
ON CONFLICT (place) DO UPDATE SET changed_at_us = message_places.changed_at_us
"""
_CHANGED_AT = "SELECT changed_at_us FROM message_places WHERE place = :place"
_NOTE_CHANGE = "UPDATE message_places SET changed_at_us = :at_us WHERE place = :place"
_GENERATION = "SELECT generation FROM servers WHERE id = :server"
_NOTE_CHANNEL = "INSERT INTO message_channels (channel) VALUES (:channel) ON CONFLICT DO NOTHING"

_log = structlog.get_logger(__name__)


class Write(msgspec.Struct, frozen=True, array_like=True):
    """One statement to run: the values of its marks are ids, or words and numbers."""

    statement: str
    ids: dict[str, UUID | None]
    values: dict[str, str | int | None]


class Nonce(msgspec.Struct, frozen=True):
    """What makes a message the same as an earlier one: then nothing of its entry is done."""

    channel: ChannelId
    author: UserId
    nonce: str
    message: MessageId


class LogEntry(msgspec.Struct):
    """What is done together; *at_us* is the time of those writes that have none of their own.

    *root* is the channel that shows the messages in the facts; the search index follows them.
    """

    id: UUID
    place: UUID
    at_us: int
    writes: list[Write] = []
    facts: list[Fact] = []
    root: ChannelId | None = None
    nonce: Nonce | None = None

    def write(self, statement: str, values: Mapping[str, UUID | int | str | None]) -> None:
        """Add a write."""
        ids = {name: value for name, value in values.items() if isinstance(value, UUID)}
        rest = {name: value for name, value in values.items() if not isinstance(value, UUID)}
        self.writes.append(Write(statement, {**ids}, rest))

    def asks(self) -> list[Ask]:
        """Return the writes as they are run."""
        return [(w.statement, {"at_us": self.at_us, **w.ids, **w.values}) for w in self.writes]


class Logged:
    """A change under way in one place: what was read in it holds until its end."""

    def __init__(self, rows: Rows, entry: LogEntry, clock: Clock) -> None:
        self.rows = rows
        self.entry = entry
        self._clock = clock

    def write(self, statement: str, values: Mapping[str, UUID | int | str | None]) -> None:
        """Run *statement* when the change is kept."""
        self.entry.write(statement, values)

    def announce(self, audience: Audience, event: ClientEvent | ServiceEvent) -> None:
        """Tell *audience* of *event* when the change can be read."""
        self.entry.facts.append(new_fact(self._clock, audience, event))

    def follow(self, message: UUID) -> None:
        """Let the writes come after the first one of *message*, whatever the clocks say."""
        self.entry.at_us = max(self.entry.at_us, made_at_us(message) + 1)


class _Shared(Exception):
    """Somebody else does some of the entries: each is told by who deletes its row."""


class CqlLog:
    """The one way to write messages to CQL."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        session: Cql,
        index: SearchIndex,
        clock: Clock,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._session = session
        self._index = index
        self._clock = clock

    # --- Logging ---

    def entry(self, place: UUID, at_us: int = 0) -> LogEntry:
        """Return an entry to be filled."""
        return LogEntry(self._clock.new_id(), place, at_us)

    async def add(self, entries: Sequence[tuple[LogEntry, ServerId, int | None]]) -> list[bool]:
        """Do *entries*, each while its server is of that generation; tell which were done.

        Not done is what was decided on an older server, or has a nonce that was used before.
        """
        self._session.require_up()
        values = [
            {**self.row_of(entry), "server": server, "generation": generation}
            for entry, server, generation in entries
        ]
        async with self._database.transaction() as rows:
            touched = await rows.execute_many(_INSERT_WHILE, values)
            logged = [entry for entry, _, _ in entries]
            if touched < len(logged):
                logged = [entry for entry in logged if await _is_logged(rows, entry)]
            await _note_channels(rows, {entry.place for entry in logged})
        done = await self._finish(logged)
        return [entry.id in done for entry, _, _ in entries]

    @asynccontextmanager
    async def change(
        self, place: UUID, server: ServerId | None = None, generation: int | None = None
    ) -> AsyncGenerator[Logged]:
        """Open a change of what stands in *place*; others wait for its end.

        Raises ``Outdated`` where *server* is not of *generation* any more.
        """
        self._session.require_up()
        async with self._outbox.transaction() as rows:
            await rows.execute(_LOCK, {"place": place})
            if generation is not None:
                found = await rows.fetch(_GENERATION, {"server": server})
                if list(found) != [(generation,)]:
                    raise Outdated
            await self._catch_up(rows, place)
            (changed_at_us,) = (await rows.fetch(_CHANGED_AT, {"place": place}))[0]
            at_us = msgspec.convert(changed_at_us, int) + 1
            entry = self.entry(place, max(at_us, self._clock.now_ms() * 1_000))
            yield Logged(rows, entry, self._clock)
            if entry.writes:
                await self._keep(rows, entry)
        if entry.writes:
            await self._finish([entry])

    async def _keep(self, rows: Rows, entry: LogEntry) -> None:
        await rows.execute(_NOTE_CHANGE, {"place": entry.place, "at_us": entry.at_us})
        if entry.root is not None:
            await _note_channels(rows, {entry.place})
        if not await rows.execute(_INSERT, self.row_of(entry)):
            # A message with the same nonce is being sent at this moment.
            raise Unavailable("message_under_way", "the same is being written; try again")

    def row_of(self, entry: LogEntry) -> dict[str, object]:
        """Return the values of a row of the log."""
        return {
            "id": entry.id,
            "place": entry.place,
            "author": entry.nonce and entry.nonce.author,
            "nonce": entry.nonce and entry.nonce.nonce,
            "now_ms": self._clock.now_ms(),
            "entry": msgspec.msgpack.encode(entry),
        }

    # --- Doing what is logged ---

    async def pending(self, channel: ChannelId, author: UserId, nonce: str) -> LogEntry | None:
        """Return the entry of a message that is kept, but may not be read yet."""
        key = {"channel": channel, "author": author, "nonce": nonce}
        found = await self._database.fetch(_OF_NONCE, key)
        return _decoded(found[0][0]) if found else None

    async def work(self) -> None:
        """Do what processes that died have left, for as long as this one lives."""
        while True:
            try:
                while await self.finish_left_behind(self._clock.now_ms() - _LEFT_BEHIND_MS):
                    pass
            except Unavailable as unavailable:
                _log.warning("message_log_waits", reason=unavailable.detail)
            except Exception:
                _log.exception("message_log_waits")
            await asyncio.sleep(_POLL_SECONDS)

    async def finish_left_behind(self, before_ms: int) -> int:
        """Do some of what was logged before then and is not done; return how many there were."""
        found = await self._database.fetch(
            _LEFT_BEHIND, {"before_ms": before_ms, "limit": _AT_ONCE}
        )
        await self._finish([_decoded(entry) for (entry,) in found])
        return len(found)

    async def _finish(self, entries: Sequence[LogEntry]) -> set[UUID]:
        """Write, and then tell; return the ids of what was no repetition."""
        if not entries:
            return set()
        new = await self._write(entries)
        try:
            async with self._outbox.transaction() as rows:
                await _delete_all(rows, entries)
                await self._tell(rows, [entry for entry in entries if entry.id in new])
        except _Shared:
            for entry in entries:
                async with self._outbox.transaction() as rows:
                    await self._take(rows, entry, is_new=entry.id in new)
        return new

    async def _catch_up(self, rows: Rows, place: UUID) -> None:
        """Do what is logged for *place*, within a transaction that will read it."""
        while found := await rows.fetch(_OF_PLACE, {"place": place, "limit": _AT_ONCE}):
            entries = [_decoded(entry) for (entry,) in found]
            new = await self._write(entries)
            for entry in entries:
                await self._take(rows, entry, is_new=entry.id in new)

    async def _write(self, entries: Sequence[LogEntry]) -> set[UUID]:
        """Do the writes of *entries*; return the ids of those that are no repetition."""
        new = {entry.id for entry in entries}
        named = [entry for entry in entries if entry.nonce is not None]
        firsts = await self._session.fetch_many(
            BY_NONCE,
            [msgspec.structs.asdict(entry.nonce) for entry in named if entry.nonce is not None],
        )
        for entry, first in zip(named, firsts, strict=True):
            if first and entry.nonce is not None and first[0][0] != entry.nonce.message:
                new.discard(entry.id)
        await self._session.write(
            [ask for entry in entries if entry.id in new for ask in entry.asks()]
        )
        return new

    async def _take(self, rows: Rows, entry: LogEntry, *, is_new: bool) -> None:
        if await rows.execute(_DELETE, {"id": entry.id}) and is_new:
            await self._tell(rows, [entry])

    async def _tell(self, rows: Rows, entries: Sequence[LogEntry]) -> None:
        found: list[Entry] = []
        for entry in entries:
            rows.facts.extend(entry.facts)
            for fact in entry.facts:
                match fact.event:
                    case MessageSent(message) | MessageEdited(message) if entry.root is not None:
                        found.append(Entry(message, entry.root))
                    case MessagesDeleted(channel, messages):
                        await self._index.drop(rows, channel, messages)
                    case _:
                        pass
        if found:
            await self._index.put(rows, found)


async def _is_logged(rows: Transaction, entry: LogEntry) -> bool:
    return bool(await rows.fetch(_IS_LOGGED, {"id": entry.id}))


async def _delete_all(rows: Transaction, entries: Sequence[LogEntry]) -> None:
    """Delete the rows of *entries*. Raises ``_Shared`` where some are gone already."""
    marks = [{"id": entry.id} for entry in entries]
    if await rows.execute_many(_DELETE, marks) < len(marks):
        raise _Shared


async def _note_channels(rows: Transaction, channels: set[UUID]) -> None:
    # In one order, so that two never wait for each other.
    await rows.execute_many(_NOTE_CHANNEL, [{"channel": each} for each in sorted(channels)])


def _decoded(entry: object) -> LogEntry:
    return msgspec.msgpack.decode(msgspec.convert(entry, bytes), type=LogEntry)
