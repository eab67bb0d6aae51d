"""Read states: one row for each user and channel; what waits is counted when it is asked for."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from sidetone.chat.domain.reading import UNREAD_MAX, Reading
from sidetone.chat.infrastructure.message_rows import wanted_rows
from sidetone.protocol.events import ReadMarked, ToUsers
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import ReadState
from sidetone.runtime.outbox import Outbox
from sidetone.storage import Database, Transaction

_MARKS_MAX = 20_000
# Channels counted by one statement; a fixed number, so that it is prepared once.
_AT_ONCE = 100
_NOBODY = UUID(int=0)


# The inner limit ends the count: a channel with a million unread messages costs as one with few.
_UNREAD = f"""
{wanted_rows("channel since", _AT_ONCE)}
SELECT wanted.place, (
  SELECT COUNT(*) FROM (
    SELECT 1 FROM messages
    WHERE messages.channel = wanted.channel AND messages.id > wanted.since
      AND messages.author <> :user
    LIMIT {UNREAD_MAX}
  ) AS unread
) FROM wanted
"""  # noqa: S608 - constants
_CALLED = f"""
{wanted_rows("channel subject since", _AT_ONCE)}
SELECT wanted.place, mentions.message
FROM wanted JOIN mentions ON mentions.channel = wanted.channel
  AND mentions.subject = wanted.subject AND mentions.message > wanted.since
WHERE mentions.author <> :user
ORDER BY mentions.message LIMIT :limit
"""  # noqa: S608 - constants
_MARK = """
INSERT INTO read_states (member, channel, last_read) VALUES (:user, :channel, :message)
ON CONFLICT (member, channel) DO UPDATE SET last_read = excluded.last_read
WHERE read_states.last_read < excluded.last_read
   OR (:backwards AND read_states.last_read <> excluded.last_read)
"""
_LAST_READ = """
SELECT channel, last_read FROM read_states WHERE member = :user LIMIT :limit
"""
_LAST_READ_ONE = """
SELECT last_read FROM read_states WHERE member = :user AND channel = :channel
"""


class SqlReadMarks:
    """Marks in ``read_states``; counts from ``messages`` and ``mentions``."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def states(self, user: UserId, readings: Sequence[Reading]) -> list[ReadState]:
        """Return how *user* stands in each of *readings*, in their order."""
        rows = await self._database.fetch(_LAST_READ, {"user": user, "limit": _MARKS_MAX})
        marks = dict(msgspec.convert(rows, list[tuple[ChannelId, MessageId]]))
        states: list[ReadState] = []
        for start in range(0, len(readings), _AT_ONCE):
            some = readings[start : start + _AT_ONCE]
            states += await _counted(self._database, user, some, marks)
        return states

    async def mark(
        self, user: UserId, reading: Reading, message: MessageId, *, backwards: bool
    ) -> ReadState:
        """Move the mark to *message*, tell the user's sessions, and return how it stands."""
        key = {"user": user, "channel": reading.channel}
        async with self._outbox.transaction() as rows:
            values = {**key, "message": message, "backwards": backwards}
            moved = await rows.execute(_MARK, values)
            found = await rows.fetch(_LAST_READ_ONE, key)
            last_read = msgspec.convert(found[0][0], MessageId)
            marks = {reading.channel: last_read}
            state = (await _counted(rows, user, [reading], marks))[0]
            if moved:
                rows.announce(ToUsers([user]), ReadMarked(state))
        return state

    async def forget_user(self, user: UserId) -> None:
        """Forget how far *user* has read."""
        await self._database.execute(
            "DELETE FROM read_states WHERE member = :user", {"user": user}
        )


async def _counted(
    rows: Transaction,
    user: UserId,
    readings: Sequence[Reading],
    marks: dict[ChannelId, MessageId],
) -> list[ReadState]:
    since = [marks.get(reading.channel, reading.since) for reading in readings]
    unread = await _unread(rows, user, readings, since)
    called = await _called(rows, user, readings, since, unread)
    return [
        ReadState(reading.channel, marks.get(reading.channel), unread[place], called[place])
        for place, reading in enumerate(readings)
    ]


async def _unread(
    rows: Transaction, user: UserId, readings: Sequence[Reading], since: Sequence[MessageId]
) -> list[int]:
    values: dict[str, object] = {"user": user}
    for place in range(_AT_ONCE):
        within = place < len(readings)
        values[f"channel{place}"] = readings[place].channel if within else _NOBODY
        values[f"since{place}"] = since[place] if within else _NOBODY
    counted = dict(msgspec.convert(await rows.fetch(_UNREAD, values), list[tuple[int, int]]))
    return [counted[place] for place in range(len(readings))]


async def _called(
    rows: Transaction,
    user: UserId,
    readings: Sequence[Reading],
    since: Sequence[MessageId],
    unread: Sequence[int],
) -> list[int]:
    """Return how many messages call the user in each place, counted where something is unread."""
    wanted = [
        (place, reading.channel, subject, since[place])
        for place, reading in enumerate(readings)
        if unread[place]
        for subject in reading.subjects
    ]
    calling: list[set[bytes]] = [set() for _ in readings]
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        values: dict[str, object] = {"user": user, "limit": UNREAD_MAX * _AT_ONCE}
        for number in range(_AT_ONCE):
            _, channel, subject, mark = (
                some[number] if number < len(some) else (0, _NOBODY, _NOBODY, _NOBODY)
            )
            values[f"channel{number}"] = channel
            values[f"subject{number}"] = subject
            values[f"since{number}"] = mark
        for number, message in await rows.fetch(_CALLED, values):
            place = some[msgspec.convert(number, int)][0]
            calling[place].add(msgspec.convert(message, UUID).bytes)
    return [min(len(messages), UNREAD_MAX) for messages in calling]
