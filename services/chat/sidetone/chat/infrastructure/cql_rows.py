"""Where a message stands in CQL, and the statements that read and write it."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

import msgspec

from sidetone.chat.application.messages import NewMessage
from sidetone.chat.infrastructure.cql import Cql
from sidetone.chat.infrastructure.message_rows import COLUMNS, Held, Kind, details_of, entry_of
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import Message
from sidetone.storage import Row, Values

# Buckets asked at once, at most: a quiet channel has few messages in each.
_WIDTH_MAX = 16
_AUTHORS_AT_ONCE = 200
# An ``IN`` of ScyllaDB takes a hundred at most.
_IN_MAX = 90
_MARKS = ", ".join(f":{name.strip()}" for name in COLUMNS.split(","))

PUT_MESSAGE = f"""
INSERT INTO messages (bucket, {COLUMNS}) VALUES (:bucket, {_MARKS}) USING TIMESTAMP :at_us
"""  # noqa: S608 - constants
CHANGE_MESSAGE = """
UPDATE messages USING TIMESTAMP :at_us SET text = :text, edited_at_ms = :edited_at_ms,
    pinned_at_ms = :pinned_at_ms, thread = :thread, details = :details
WHERE channel = :channel AND bucket = :bucket AND id = :id
"""
COUNT_REACTIONS = """
UPDATE messages USING TIMESTAMP :at_us SET reactions = :reactions
WHERE channel = :channel AND bucket = :bucket AND id = :id
"""
DROP_MESSAGE = """
DELETE FROM messages USING TIMESTAMP :at_us
WHERE channel = :channel AND bucket = :bucket AND id = :id
"""
# Of two the later one stays, whichever is written first: its time is that of the message.
NOTE_BUCKET = """
INSERT INTO buckets (channel, bucket, last) VALUES (:channel, :bucket, :id)
USING TIMESTAMP :at_us
"""
PUT_MENTION = """
INSERT INTO mentions (channel, subject, message, author)
VALUES (:channel, :subject, :id, :author) USING TIMESTAMP :at_us
"""
DROP_MENTION = """
DELETE FROM mentions USING TIMESTAMP :at_us
WHERE channel = :channel AND subject = :subject AND message = :id
"""
PUT_REACTION = """
INSERT INTO reactions (channel, bucket, message, emoji, member)
VALUES (:channel, :bucket, :id, :emoji, :member) USING TIMESTAMP :at_us
"""
DROP_REACTION = """
DELETE FROM reactions USING TIMESTAMP :at_us
WHERE channel = :channel AND bucket = :bucket AND message = :id AND emoji = :emoji
  AND member = :member
"""
DROP_REACTIONS = """
DELETE FROM reactions USING TIMESTAMP :at_us
WHERE channel = :channel AND bucket = :bucket AND message = :id
"""
PUT_PIN = """
INSERT INTO pins (channel, message, pinned_at_ms) VALUES (:channel, :id, :pinned_at_ms)
USING TIMESTAMP :at_us
"""
DROP_PIN = "DELETE FROM pins USING TIMESTAMP :at_us WHERE channel = :channel AND message = :id"
PUT_NONCE = """
INSERT INTO nonces (channel, author, nonce, message) VALUES (:channel, :author, :nonce, :id)
USING TIMESTAMP :at_us
"""
DROP_NONCE = """
DELETE FROM nonces USING TIMESTAMP :at_us
WHERE channel = :channel AND author = :author AND nonce = :nonce
"""

_SELECT = f"SELECT {COLUMNS}, reactions FROM messages"  # noqa: S608 - a constant
ONE = f"{_SELECT} WHERE channel = :channel AND bucket = :bucket AND id = :id LIMIT 1"
_IN_BUCKET = f"{_SELECT} WHERE channel = :channel AND bucket = :bucket"
_BEFORE = f"{_IN_BUCKET} AND id < :mark ORDER BY id DESC LIMIT :most"
_AFTER = f"{_IN_BUCKET} AND id > :mark ORDER BY id ASC LIMIT :most"
BY_NONCE = """
SELECT message FROM nonces WHERE channel = :channel AND author = :author AND nonce = :nonce
LIMIT 1
"""
_BUCKETS_BEFORE = """
SELECT bucket FROM buckets WHERE channel = :channel AND bucket <= :bucket LIMIT 10000
"""
BUCKETS_SINCE = """
SELECT bucket, last FROM buckets WHERE channel = :channel AND bucket >= :bucket
ORDER BY bucket ASC LIMIT 10000
"""
_LATER = """
SELECT id, author FROM messages WHERE channel = :channel AND bucket = :bucket AND id > :mark
ORDER BY id ASC LIMIT :most
"""
_MINE = """
SELECT message, emoji FROM reactions
WHERE channel = :channel AND bucket = :bucket AND (message, emoji, member) IN :wanted
LIMIT 100
"""


_decode_kinds = msgspec.json.Decoder(list[Kind]).decode


def bucket_of(message: UUID) -> int:
    """Return the number of the twelve days (2**30 ms) in which *message* was made.

    >>> bucket_of(UUID(int=(1 << 30) - 1 << 80)), bucket_of(UUID(int=1 << 30 << 80))
    (0, 1)
    """
    return message.int >> 110


def made_at_us(message: UUID) -> int:
    """Return the microsecond at which *message* was made: the time of its first write."""
    return (message.int >> 80) * 1_000


def key_of(channel: ChannelId, message: UUID) -> dict[str, UUID | int]:
    """Return the values of marks that find the row of *message*."""
    return {"channel": channel, "bucket": bucket_of(message), "id": message}


def held_of(row: Row) -> Held:
    """Return what a row of ``_SELECT`` holds."""
    text = row[13]
    kinds = _decode_kinds(text) if isinstance(text, str) and text else []
    # Nothing is stored where there are no details.
    entry = entry_of((*row[:12], row[12] or ""))
    pinned_at_ms = row[10]
    return Held(entry, kinds, pinned_at_ms if isinstance(pinned_at_ms, int) else None)


def encoded_kinds(kinds: Sequence[Kind]) -> str:
    """Return what stands in the column of reactions."""
    return msgspec.json.encode(kinds).decode()


def values_of(new: NewMessage) -> dict[str, UUID | int | str]:
    """Return the values of ``PUT_MESSAGE``, without those that are absent."""
    message = new.message
    values = {
        **key_of(message.channel, message.id),
        "server": message.server,
        "root": new.root,
        "author": message.author,
        "kind": message.kind,
        "text": message.text,
        "nonce": message.nonce,
        "reply_to": message.reply_to,
        "thread": message.thread,
        "details": details_of(message) or None,
        "at_us": made_at_us(message.id),
    }
    return {name: value for name, value in values.items() if value is not None}


class CqlRows:
    """Reads messages across buckets, as if a channel were one long row of them."""

    def __init__(self, session: Cql) -> None:
        self._session = session

    async def one(self, channel: ChannelId, message: MessageId) -> Held | None:
        """Return the message."""
        rows = await self._session.fetch(ONE, key_of(channel, message))
        return held_of(rows[0]) if rows else None

    async def every(self, hits: Sequence[tuple[ChannelId, MessageId]]) -> list[Held]:
        """Return those of *hits* that exist, in their order."""
        found = await self._session.fetch_many(ONE, [key_of(*hit) for hit in hits])
        return [held_of(rows[0]) for rows in found if rows]

    async def before(self, channel: ChannelId, mark: UUID, limit: int) -> list[Held]:
        """Return the last messages before *mark*, newest first."""
        rows = await self._session.fetch(
            _BUCKETS_BEFORE, {"channel": channel, "bucket": bucket_of(mark)}
        )
        buckets = [_number(bucket) for (bucket,) in rows]
        found = await self.walk(_BEFORE, buckets, {"channel": channel, "mark": mark}, limit)
        return [held_of(row) for row in found]

    async def after(self, channel: ChannelId, mark: UUID, limit: int) -> list[Held]:
        """Return the first messages after *mark*, oldest first."""
        buckets = [bucket for bucket, _ in await self.buckets_since(channel, mark)]
        found = await self.walk(_AFTER, buckets, {"channel": channel, "mark": mark}, limit)
        return [held_of(row) for row in found]

    async def buckets_since(self, channel: ChannelId, mark: UUID) -> list[tuple[int, UUID]]:
        """Return the buckets of *mark* and later, with the last message of each."""
        values = {"channel": channel, "bucket": bucket_of(mark)}
        rows = await self._session.fetch(BUCKETS_SINCE, values)
        return msgspec.convert(rows, list[tuple[int, UUID]])

    async def authors_after(
        self, channel: ChannelId, mark: UUID, buckets: Sequence[int]
    ) -> AsyncGenerator[tuple[MessageId, UserId]]:
        """Yield the messages after *mark* in *buckets* with who wrote them, oldest first."""
        while True:
            values = {"channel": channel, "mark": mark}
            found = await self.walk(_LATER, buckets, values, _AUTHORS_AT_ONCE)
            later = msgspec.convert(found, list[tuple[MessageId, UserId]])
            for each in later:
                yield each
            if len(later) < _AUTHORS_AT_ONCE:
                return
            mark = later[-1][0]
            buckets = [bucket for bucket in buckets if bucket >= bucket_of(mark)]

    async def walk(
        self, query: str, buckets: Sequence[int], values: Values, limit: int
    ) -> list[Row]:
        """Return the first *limit* rows of *query* from *buckets*, one after the other.

        More and more of them are asked at once, the longer they turn out to be nearly empty.
        """
        found: list[Row] = []
        start, width = 0, 1
        while start < len(buckets) and len(found) < limit:
            left = {**values, "most": limit - len(found)}
            some = buckets[start : start + width]
            pages = await self._session.fetch_many(
                query, [{**left, "bucket": bucket} for bucket in some]
            )
            for page in pages:
                found += page
            start, width = start + width, min(2 * width, _WIDTH_MAX)
        return found[:limit]

    async def shown(self, held: Sequence[Held], reader: UserId) -> list[Message]:
        """Return messages with their reactions, those of *reader* marked."""
        wanted: dict[tuple[ChannelId, int], list[tuple[bytes, str, bytes]]] = {}
        for each in held:
            message = each.message
            place = wanted.setdefault((message.channel, bucket_of(message.id)), [])
            place += [(message.id.bytes, kind.emoji, reader.bytes) for kind in each.kinds]
        asked = [
            {"channel": channel, "bucket": bucket, "wanted": kinds[start : start + _IN_MAX]}
            for (channel, bucket), kinds in wanted.items()
            for start in range(0, len(kinds), _IN_MAX)
        ]
        mine: dict[UUID, set[str]] = {}
        for rows in await self._session.fetch_many(_MINE, asked):
            for message, emoji in msgspec.convert(rows, list[tuple[UUID, str]]):
                mine.setdefault(message, set()).add(emoji)
        return [each.shown(frozenset(mine.get(each.message.id, ()))) for each in held]


def _number(value: object) -> int:
    return msgspec.convert(value, int)
