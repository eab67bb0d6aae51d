"""The search of a cluster: Typesense, fed through a queue table.

Each change of a message puts a row into the queue in the same transaction; ``SearchIndexer`` takes
the rows from there, in a process of its own.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.bus.tasks import Tasks
from sidetone.chat.application.search import Hit
from sidetone.chat.domain.search_query import SearchQuery
from sidetone.chat.infrastructure.search_index import Entry
from sidetone.chat.infrastructure.typesense import Typesense, position_of, rank_of
from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.refusals import Invalid
from sidetone.storage import Transaction

_QUEUE = "INSERT INTO search_queue (channel, message) VALUES (:channel, :message)"


class SearchQueue:
    """What the messages tell an index that somebody else fills."""

    async def put(self, rows: Transaction, entries: Sequence[Entry]) -> None:
        """Queue *entries*."""
        await _queue(rows, [(entry.message.channel, entry.message.id) for entry in entries])

    async def drop(
        self, rows: Transaction, channel: ChannelId, messages: Sequence[MessageId]
    ) -> None:
        """Queue *messages*; that they are gone is seen when their turn comes."""
        await _queue(rows, [(channel, message) for message in messages])


class TypesenseSearch(SearchQueue):
    """Finds messages in a Typesense collection, and queues what is to be found."""

    def __init__(self, engine: Typesense) -> None:
        self._engine = engine

    async def begin(self, tasks: Tasks) -> None:
        """Close the connections with *tasks*."""
        tasks.start(self._close_in_the_end())

    async def _close_in_the_end(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await self._engine.close()

    async def find(
        self, query: SearchQuery, cursor: str | None, limit: int
    ) -> tuple[Sequence[Hit], str | None]:
        """Return up to *limit* hits, newest first, and the cursor of the next ones, if any."""
        if not query.channels:
            return [], None
        documents = await self._engine.ask(
            {
                "q": " ".join(query.words) or "*",
                "query_by": "words",
                "filter_by": _filter(query, cursor),
                "sort_by": "position:desc,rank:desc",
                "per_page": limit + 1,
                "num_typos": 0,
                "typo_tokens_threshold": 0,
                "drop_tokens_threshold": 0,
                "split_join_tokens": "off",
                "include_fields": "id,channel",
                "highlight_fields": "none",
            }
        )
        found = msgspec.convert(documents, list[_Found])
        more = found[limit - 1].id.hex if len(found) > limit else None
        return [(each.channel, each.id) for each in found[:limit]], more


class _Found(msgspec.Struct, frozen=True):
    id: MessageId
    channel: ChannelId


async def _queue(rows: Transaction, hits: Sequence[Hit]) -> None:
    await rows.execute_many(
        _QUEUE, [{"channel": channel, "message": message} for channel, message in hits]
    )


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
        parts.append(f"position:>={position_of(query.since)}")
    if query.until is not None:
        parts.append(f"position:<{position_of(query.until)}")
    if cursor is not None:
        last = _message_of(cursor)
        position, rank = position_of(last), rank_of(last)
        parts.append(f"(position:<{position} || (position:={position} && rank:<{rank}))")
    return " && ".join(parts)


def _message_of(cursor: str) -> MessageId:
    try:
        return MessageId(UUID(hex=cursor))
    except ValueError as error:
        raise Invalid(
            "cursor_unknown", "this cursor was not given out here; begin from the start"
        ) from error
