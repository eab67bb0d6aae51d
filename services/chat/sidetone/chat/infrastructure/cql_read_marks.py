"""Read states in CQL: one row for each user and channel; what waits is counted when asked for."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from uuid import UUID

import msgspec

from sidetone.chat.domain.reading import UNREAD_MAX, Reading
from sidetone.chat.infrastructure.cql import Cql
from sidetone.chat.infrastructure.cql_log import CqlLog
from sidetone.chat.infrastructure.cql_rows import BUCKETS_SINCE, CqlRows, bucket_of
from sidetone.protocol.events import ReadMarked, ToUsers
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import ReadState

_ALL = "SELECT channel, last_read FROM read_states WHERE member = :member LIMIT 20000"
_ONE = "SELECT last_read FROM read_states WHERE member = :member AND channel = :channel LIMIT 1"
PUT_MARK = """
INSERT INTO read_states (member, channel, last_read) VALUES (:member, :channel, :message)
USING TIMESTAMP :at_us
"""
_FORGET = "DELETE FROM read_states USING TIMESTAMP :at_us WHERE member = :member"
_CALLED = """
SELECT message, author FROM mentions
WHERE channel = :channel AND subject IN :subjects AND message > :mark LIMIT 1000
"""


class CqlReadMarks:
    """Marks in ``read_states``; counts from ``buckets``, ``messages`` and ``mentions``."""

    def __init__(self, session: Cql, log: CqlLog) -> None:
        self._session = session
        self._rows = CqlRows(session)
        self._log = log

    async def states(self, user: UserId, readings: Sequence[Reading]) -> list[ReadState]:
        """Return how *user* stands in each of *readings*, in their order."""
        rows = await self._session.fetch(_ALL, {"member": user})
        marks = dict(msgspec.convert(rows, list[tuple[ChannelId, MessageId]]))
        since = [marks.get(reading.channel, reading.since) for reading in readings]
        buckets = await self._session.fetch_many(
            BUCKETS_SINCE,
            [
                {"channel": reading.channel, "bucket": bucket_of(mark)}
                for reading, mark in zip(readings, since, strict=True)
            ],
        )
        return await asyncio.gather(
            *(
                self._state(user, reading, marks.get(reading.channel), _unread_in(found, mark))
                for reading, mark, found in zip(readings, since, buckets, strict=True)
            )
        )

    async def mark(
        self, user: UserId, reading: Reading, message: MessageId, *, backwards: bool
    ) -> ReadState:
        """Move the mark to *message*, tell the user's sessions, and return how it stands."""
        key = {"member": user, "channel": reading.channel}
        async with self._log.change(user) as logged:
            found = await self._session.fetch(_ONE, key)
            before = msgspec.convert(found[0][0], MessageId) if found else None
            moves = before is None or before < message or (backwards and before != message)
            last_read = message if before is None or moves else before
            buckets = await self._rows.buckets_since(reading.channel, last_read)
            state = await self._state(user, reading, last_read, _unread_in(buckets, last_read))
            if moves:
                logged.write(PUT_MARK, {**key, "message": message})
                logged.announce(ToUsers([user]), ReadMarked(state))
        return state

    async def forget_user(self, user: UserId) -> None:
        """Forget how far *user* has read."""
        async with self._log.change(user) as logged:
            logged.write(_FORGET, {"member": user})

    async def _state(
        self,
        user: UserId,
        reading: Reading,
        last_read: MessageId | None,
        buckets: Sequence[int],
    ) -> ReadState:
        """Return how it stands where *buckets* hold something later."""
        channel, since = reading.channel, last_read or reading.since
        unread = await self._unread(user, channel, since, buckets) if buckets else 0
        called = await self._called(user, reading, since) if unread else 0
        return ReadState(channel, last_read, unread, called)

    async def _unread(
        self, user: UserId, channel: ChannelId, since: MessageId, buckets: Sequence[int]
    ) -> int:
        count = 0
        async with aclosing(self._rows.authors_after(channel, since, buckets)) as later:
            async for _, author in later:
                count += author != user
                if count == UNREAD_MAX:
                    break
        return count

    async def _called(self, user: UserId, reading: Reading, since: MessageId) -> int:
        """Return how many messages call the user, each counted once."""
        values = {"channel": reading.channel, "subjects": list(reading.subjects), "mark": since}
        rows = msgspec.convert(
            await self._session.fetch(_CALLED, values), list[tuple[MessageId, UserId]]
        )
        return min(len({message for message, author in rows if author != user}), UNREAD_MAX)


def _unread_in(buckets: Sequence[Sequence[object]], since: UUID) -> list[int]:
    """Return the buckets that hold something after *since*; what was removed may still count."""
    known = msgspec.convert(buckets, list[tuple[int, UUID]])
    return [bucket for bucket, last in known if last > since]
