"""The embedded search index: SQLite FTS5, written in the transaction of the messages.

Each message is a document of two columns: its words, folded, and its *places*, which are words of
our own for the server, the channel, the author and what it has. So one FTS5 expression holds the
whole question, and its answer comes newest first without sorting: documents are numbered in the
order they came in, and those that were imported below zero, by their time.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.bus.tasks import Tasks
from sidetone.chat.application.search import Hit
from sidetone.chat.domain.message import traits
from sidetone.chat.domain.search_query import SearchQuery, indexed_words
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.refusals import Invalid
from sidetone.storage import Database, Transaction

_CURSOR_LENGTH_MAX = 20
_HALF = 1 << 63
# Messages of the past from one millisecond lie at most so close to each other.
_NEAR = 2_048
_FIRST = MessageId(UUID(int=0))
# The triggers keep the index beside the table (SQLite documentation, FTS5 section 4.4.3).
_SCHEMA = """
CREATE TABLE IF NOT EXISTS search_documents (
    number INTEGER PRIMARY KEY,
    message UUID NOT NULL UNIQUE,
    channel UUID NOT NULL,
    words TEXT NOT NULL,
    places TEXT NOT NULL
);
CREATE VIRTUAL TABLE IF NOT EXISTS search_index USING fts5 (
    words, places, content = 'search_documents', content_rowid = 'number'
);
CREATE TRIGGER IF NOT EXISTS search_documents_put AFTER INSERT ON search_documents BEGIN
    INSERT INTO search_index (rowid, words, places) VALUES (new.number, new.words, new.places);
END;
CREATE TRIGGER IF NOT EXISTS search_documents_drop AFTER DELETE ON search_documents BEGIN
    INSERT INTO search_index (search_index, rowid, words, places)
    VALUES ('delete', old.number, old.words, old.places);
END;
CREATE TRIGGER IF NOT EXISTS search_documents_change AFTER UPDATE ON search_documents BEGIN
    INSERT INTO search_index (search_index, rowid, words, places)
    VALUES ('delete', old.number, old.words, old.places);
    INSERT INTO search_index (rowid, words, places) VALUES (new.number, new.words, new.places);
END;
"""


class FtsSearch:
    """Finds messages in the database that holds them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, tasks: Tasks) -> None:
        """Create the index where it is missing; the database must be SQLite."""
        _ = tasks
        await self._database.run_script(_SCHEMA)

    async def put(self, rows: Transaction, entries: Sequence[Entry]) -> None:
        """Take *entries* into the index, in the place of what it knew of them."""
        await rows.execute_many(
            """
            INSERT INTO search_documents (number, message, channel, words, places)
            VALUES (COALESCE(
                (SELECT MAX(number) + 1 FROM search_documents
                 WHERE number >= :number AND number < :number + :near),
                :number,
                (SELECT MAX(0, COALESCE(MAX(number), 0)) + 1 FROM search_documents)
              ), :message, :channel, :words, :places)
            ON CONFLICT (message) DO UPDATE SET words = excluded.words, places = excluded.places
            """,
            [
                {
                    "number": _old_number(entry.message.id) if entry.of_the_past else None,
                    "near": _NEAR,
                    "message": entry.message.id,
                    "channel": entry.message.channel,
                    "words": " ".join(indexed_words(entry.message.text)),
                    "places": _places_of(entry),
                }
                for entry in entries
            ],
        )

    async def drop(
        self, rows: Transaction, channel: ChannelId, messages: Sequence[MessageId]
    ) -> None:
        """Forget *messages*; the index knows by itself where they were."""
        _ = channel
        await rows.execute_many(
            "DELETE FROM search_documents WHERE message = :message",
            [{"message": message} for message in messages],
        )

    async def find(
        self, query: SearchQuery, cursor: str | None, limit: int
    ) -> tuple[Sequence[Hit], str | None]:
        """Return up to *limit* hits, newest first, and the cursor of the next ones, if any."""
        if not query.channels:
            return [], None
        rows = await self._database.fetch(
            """
            SELECT documents.channel, documents.message, documents.number
            FROM search_index JOIN search_documents AS documents
              ON documents.number = search_index.rowid
            WHERE search_index MATCH :expression
              AND search_index.rowid < :below
              AND search_index.rowid >= (
                SELECT CASE WHEN EXISTS (
                  SELECT 1 FROM search_documents WHERE number >= :old_since AND number < 0
                ) THEN :old_since ELSE COALESCE((
                  SELECT number FROM search_documents WHERE message >= :since
                  ORDER BY message LIMIT 1
                ), :none) END
              )
              AND documents.message >= :since AND documents.message < :until
            ORDER BY search_index.rowid DESC LIMIT :limit
            """,
            {
                "expression": _expression(query),
                "below": _number(cursor),
                "old_since": _old_number(query.since or _FIRST),
                "none": (1 << 63) - 1,
                "since": query.since or _FIRST,
                "until": query.until or UUID(int=(1 << 128) - 1),
                "limit": limit + 1,
            },
        )
        found = msgspec.convert(rows, list[tuple[ChannelId, MessageId, int]])
        more = str(found[limit - 1][2] + _HALF) if len(found) > limit else None
        return [(channel, message) for channel, message, _ in found[:limit]], more


def _places_of(entry: Entry) -> str:
    message = entry.message
    places = [
        f"s{message.server.hex}",
        f"c{entry.root.hex}",
        f"a{message.author.hex}",
        *(f"has{trait}" for trait in traits(message)),
    ]
    if message.channel != entry.root:
        places.append(f"t{message.channel.hex}")
    return " ".join(places)


def _expression(query: SearchQuery) -> str:
    """Return the question in the language of FTS5; every word in it is letters and digits."""
    places = [f"s{query.server.hex}", *(f"has{trait}" for trait in query.traits)]
    if query.author is not None:
        places.append(f"a{query.author.hex}")
    if query.thread is not None:
        places.append(f"t{query.thread.hex}")
    parts = [f"places : ({' AND '.join(places)})"]
    parts.append(f"places : ({' OR '.join(f'c{channel.hex}' for channel in query.channels)})")
    if query.words:
        words = " AND ".join(f'"{word}"' for word in query.words)
        parts.append(f"words : ({words} *)")
    return " AND ".join(parts)


def _old_number(message: MessageId) -> int:
    """Return the number of a message of the past: below zero, and in the order of their time."""
    return (message.int >> 65) - _HALF


def _number(cursor: str | None) -> int:
    if cursor is None:
        return _HALF - 1
    if cursor.isascii() and cursor.isdigit() and len(cursor) <= _CURSOR_LENGTH_MAX:
        return min(int(cursor), 2 * _HALF - 1) - _HALF
    raise Invalid("cursor_unknown", "this cursor was not given out here; begin from the start")
