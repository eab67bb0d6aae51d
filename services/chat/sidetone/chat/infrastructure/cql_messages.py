"""Messages in CQL: a channel is a row of buckets, each a partition of twelve days."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from uuid import UUID

import msgspec

from sidetone.chat.application.messages import NewMessage, Outdated
from sidetone.chat.domain.message import unknown_message
from sidetone.chat.domain.reading import id_before
from sidetone.chat.infrastructure.cql import Cql
from sidetone.chat.infrastructure.cql_changes import CqlMessageChange, first_writes
from sidetone.chat.infrastructure.cql_log import CqlLog, LogEntry, Nonce
from sidetone.chat.infrastructure.cql_rows import BY_NONCE, CqlRows, key_of
from sidetone.protocol.events import InChannel, MessageSent, Origin
from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.requests import Page
from sidetone.runtime.clock import Clock
from sidetone.runtime.outbox import new_fact
from sidetone.storage.batches import Batcher
from sidetone.telemetry.origins import origin_now

_PINS_MAX = 100
_PINS = "SELECT message, pinned_at_ms FROM pins WHERE channel = :channel LIMIT 1000"
_REACTED = """
SELECT member FROM reactions
WHERE channel = :channel AND bucket = :bucket AND message = :id AND emoji = :emoji
  AND member > :cursor
LIMIT :most
"""
_LAST = UUID(int=(1 << 128) - 1)


class _Send:
    """A message on its way, and whether it was stored."""

    __slots__ = ("is_stored", "new", "origin")

    def __init__(self, new: NewMessage) -> None:
        self.new = new
        # A batch is written by whoever came first, but each message has an origin of its own.
        self.origin = origin_now()
        self.is_stored = False


class CqlMessages:
    """All messages, in the tables of ``migrations_cql``; what changes them goes through *log*."""

    def __init__(self, session: Cql, log: CqlLog, clock: Clock) -> None:
        self._session = session
        self._rows = CqlRows(session)
        self._log = log
        self._clock = clock
        self._batcher = Batcher[_Send](self._write)

    # --- Writing ---

    async def add(self, new: NewMessage) -> Message:
        """Store a message and tell of it, or return the first with its nonce."""
        send = _Send(new)
        await self._batcher.add(send)
        if send.is_stored:
            return new.message
        message = new.message
        if message.nonce is not None:
            first = await self.by_nonce(message.channel, message.author, message.nonce)
            if first is not None:
                return first
        raise Outdated

    async def _write(self, sends: Sequence[_Send]) -> None:
        done = await self._log.add(
            [
                (
                    self.entry_of(send.new, send.origin),
                    send.new.message.server,
                    send.new.generation,
                )
                for send in sends
            ]
        )
        for send, is_stored in zip(sends, done, strict=True):
            send.is_stored = is_stored

    def entry_of(self, new: NewMessage, origin: Origin | None = None) -> LogEntry:
        """Return what is done to store and tell of a message."""
        message = new.message
        entry = self._log.entry(message.channel)
        for statement, values in first_writes(new):
            entry.write(statement, values)
        audience = InChannel(message.server, message.channel)
        entry.facts.append(new_fact(self._clock, audience, MessageSent(message), origin))
        entry.root = new.root
        if message.nonce is not None:
            entry.nonce = Nonce(message.channel, message.author, message.nonce, message.id)
        return entry

    @asynccontextmanager
    async def change(
        self, server: ServerId, channel: ChannelId, generation: int | None = None
    ) -> AsyncGenerator[CqlMessageChange]:
        """Open a change of what stands in *channel*; it raises ``Outdated`` at its begin."""
        async with self._log.change(channel, server, generation) as logged:
            yield CqlMessageChange(self._session, logged, InChannel(server, channel))

    # --- Reading ---

    async def find(self, channel: ChannelId, message: MessageId, reader: UserId) -> Message:
        """Return the message. Raises ``NotFound``."""
        held = await self._rows.one(channel, message)
        if held is None:
            raise unknown_message()
        return (await self._rows.shown([held], reader))[0]

    async def by_nonce(self, channel: ChannelId, author: UserId, nonce: str) -> Message | None:
        """Return what *author* wrote in *channel* with *nonce*."""
        # The log first: what has left it meanwhile can be read.
        pending = await self._log.pending(channel, author, nonce)
        if pending is not None:
            for fact in pending.facts:
                if isinstance(fact.event, MessageSent) and fact.event.message.nonce == nonce:
                    return fact.event.message
        values = {"channel": channel, "author": author, "nonce": nonce}
        rows = await self._session.fetch(BY_NONCE, values)
        if not rows:
            return None
        held = await self._rows.one(channel, msgspec.convert(rows[0][0], MessageId))
        return (await self._rows.shown([held], author))[0] if held is not None else None

    async def before(
        self, channel: ChannelId, mark: MessageId | None, limit: int, reader: UserId
    ) -> list[Message]:
        """Return the last messages before *mark*, or of all, newest first."""
        held = await self._rows.before(channel, mark or _LAST, limit)
        return await self._rows.shown(held, reader)

    async def after(
        self, channel: ChannelId, mark: MessageId, limit: int, reader: UserId
    ) -> list[Message]:
        """Return the first messages after *mark*, newest first."""
        held = await self._rows.after(channel, mark, limit)
        return await self._rows.shown(held[::-1], reader)

    async def pinned(self, channel: ChannelId, reader: UserId) -> list[Message]:
        """Return the pinned messages, the one pinned last first."""
        rows = await self._session.fetch(_PINS, {"channel": channel})
        pins = [(at_ms, id_) for id_, at_ms in msgspec.convert(rows, list[tuple[MessageId, int]])]
        latest = sorted(pins, reverse=True)[:_PINS_MAX]
        held = await self._rows.every([(channel, id_) for _, id_ in latest])
        return await self._rows.shown(held, reader)

    async def every(
        self, hits: Sequence[tuple[ChannelId, MessageId]], reader: UserId
    ) -> list[Message]:
        """Return those of *hits* that exist, in their order."""
        return await self._rows.shown(await self._rows.every(hits), reader)

    async def reacted(
        self, channel: ChannelId, message: MessageId, emoji: str, cursor: str | None, limit: int
    ) -> Page[UserId]:
        """Return who reacted to a message with *emoji*, by id."""
        values = {"emoji": emoji, "cursor": _user_of(cursor), "most": limit + 1}
        rows = await self._session.fetch(_REACTED, {**key_of(channel, message), **values})
        users = [msgspec.convert(row[0], UserId) for row in rows]
        return Page(users[:limit], str(users[limit - 1]) if len(users) > limit else None)

    async def written_by(
        self, channel: ChannelId, author: UserId, since: MessageId, limit: int
    ) -> list[MessageId]:
        """Return what *author* wrote in *channel* since *since*, oldest first."""
        buckets = [bucket for bucket, _ in await self._rows.buckets_since(channel, since)]
        found: list[MessageId] = []
        later = self._rows.authors_after(channel, id_before(since), buckets)
        async with aclosing(later):
            async for message, whose in later:
                if whose == author:
                    found.append(message)
                if len(found) == limit:
                    break
        return found


def _user_of(cursor: str | None) -> UUID:
    try:
        return UUID(cursor) if cursor is not None else UUID(int=0)
    except ValueError:
        raise Invalid(
            "cursor_unknown", "this cursor was not given out here; begin from the start"
        ) from None
