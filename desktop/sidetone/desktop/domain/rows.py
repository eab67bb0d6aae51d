"""How messages stand below one another: grouped, with lines between days and above what is new.

The list is cut into chunks that stay the same while nothing in them changes: whoever draws them
draws one chunk anew for a new message, not all. Pure; which day it is by the clock on the wall
comes in as a function.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec

from sidetone.protocol.ids import MessageId, UserId
from sidetone.protocol.messages import Message, ReadState

CHUNK: Final = 25
# Rows that a window holds on each side of where one is; beyond there is space of the same height.
BESIDE_MAX: Final = 75
# What one author writes within this time stands under one name.
_GROUP_MS: Final = 7 * 60_000
# What a row is thought to measure before it was measured.
_ROW_PIXELS: Final = 44.0


class Row(msgspec.Struct, frozen=True):
    """One message and what stands above it: its author and time, a day, the line of the new.

    *editing*: it is being changed in place; *found*: somebody jumped to it.
    """

    message: Message
    head: bool = True
    day: bool = False
    new: bool = False
    editing: bool = False
    found: bool = False


class Chunk(msgspec.Struct, frozen=True):
    """Rows that are drawn together, oldest first; *key* is the number of the first one's id."""

    key: int
    rows: tuple[Row, ...]

    @property
    def last(self) -> UUID:
        """The id of its last message."""
        return self.rows[-1].message.id


class Marks(msgspec.Struct, frozen=True):
    """Which single messages are drawn in another way than the rest, if they are there."""

    new: MessageId | None = None
    editing: MessageId | None = None
    found: MessageId | None = None


NO_MARKS: Final = Marks()


def time_of(message: UUID) -> int:
    """Return when an id was made, in milliseconds since the epoch (UUIDv7)."""
    return message.int >> 80


def first_new(messages: Sequence[Message], read: ReadState, me: UserId) -> MessageId | None:
    """Return the first message of others that *read* does not know; None where there is none.

    Who has read nothing yet has as many unread as are counted since they came.
    """
    if read.last_read is not None:
        start = bisect_right(messages, read.last_read, key=_id)
        return next((each.id for each in messages[start:] if each.author != me), None)
    new = [each.id for each in messages if each.author != me][-read.unread :]
    return new[0] if new and read.unread else None


def continues(message: Message, before: Message | None) -> bool:
    """Return whether *message* stands under the name that stands above *before*."""
    return (
        before is not None
        and before.author == message.author
        and before.kind == message.kind == "text"
        and message.reply_to is None
        and time_of(message.id) - time_of(before.id) < _GROUP_MS
    )


def alive(sizes: Sequence[int], center: int) -> range:
    """Return the chunks around *center* that are drawn; *sizes* are their rows.

    >>> alive([25] * 40, 0), alive([25] * 40, 20)
    (range(0, 4), range(17, 24))
    """
    first, end = center, center + 1
    room = BESIDE_MAX
    while first > 0 and sizes[first - 1] <= room:
        first -= 1
        room -= sizes[first]
    room = BESIDE_MAX
    while end < len(sizes) and sizes[end] <= room:
        room -= sizes[end]
        end += 1
    return range(first, end)


def likely_height(chunk: Chunk) -> float:
    """Return how many pixels *chunk* may measure that was never drawn."""
    return len(chunk.rows) * _ROW_PIXELS


class Sheet:
    """The chunks of one channel in one window; *day_of* numbers the days of milliseconds."""

    def __init__(self, day_of: Callable[[int], int]) -> None:
        self._day_of = day_of
        # Where chunks began the last time, and at which index.
        self._starts: list[tuple[UUID, int]] = []
        self._drawn: dict[int, tuple[list[Message], object, Chunk]] = {}

    def cut(
        self, messages: Sequence[Message], marks: Marks = NO_MARKS, *, grow: bool = True
    ) -> list[Chunk]:
        """Return the chunks of *messages*, oldest first; those without a change are the same.

        The last one takes in what is new while it may *grow*; else that begins another, so that
        what is read on from the past does not change what is shown.
        """
        drawn = self._drawn
        self._drawn = {}
        chunks: list[Chunk] = []
        newest = next((part[-1].id for part, _, _ in reversed(drawn.values())), None)
        places = self._places(messages, None if grow else newest)
        ends = [*places[1:], len(messages)][: len(places)]
        self._starts = [(messages[place].id, place) for place in places]
        for place, end in zip(places, ends, strict=True):
            part = list(messages[place:end])
            before = messages[place - 1] if place else None
            first, last = part[0].id, part[-1].id
            key = first.int
            here = (before and (before.id, before.author), _within(marks, first, last))
            known = drawn.get(key)
            if known is None or known[0] != part or known[1] != here:
                known = (part, here, Chunk(key, tuple(self._rows(part, before, marks))))
            self._drawn[key] = known
            chunks.append(known[2])
        return chunks

    def _places(self, messages: Sequence[Message], closed: MessageId | None) -> list[int]:
        """Return the indices at which chunks begin: where they did, and every 25 beyond.

        After the message *closed* another one begins in any case.
        """
        if not messages:
            return []
        inner = sorted(set(_indices(messages, self._starts)))
        inner = [place for place in inner if place < len(messages)]
        if not inner:
            inner = [max(0, len(messages) - CHUNK)]
        places = list(range(inner[0], 0, -CHUNK))[1:]
        places = [0, *reversed(places), *inner] if inner[0] else inner
        if closed is not None:
            after = bisect_right(messages, closed, key=_id)
            if places[-1] < after < len(messages):
                places.append(after)
        while len(messages) - places[-1] > CHUNK:
            places.append(places[-1] + CHUNK)
        return places

    def _rows(self, part: list[Message], before: Message | None, marks: Marks) -> list[Row]:
        rows: list[Row] = []
        last_day = None if before is None else self._day(before)
        for message in part:
            today = self._day(message)
            day = today != last_day
            last_day = today
            new = message.id == marks.new
            rows.append(
                Row(
                    message,
                    head=day or new or not continues(message, before),
                    day=day,
                    new=new,
                    editing=message.id == marks.editing,
                    found=message.id == marks.found,
                )
            )
            before = message
        return rows

    def _day(self, message: Message) -> int:
        return self._day_of(time_of(message.id))


def _within(marks: Marks, first: MessageId, last: MessageId) -> tuple[MessageId | None, ...]:
    each = (marks.new, marks.editing, marks.found)
    return tuple(mark if mark is not None and first <= mark <= last else None for mark in each)


def _indices(messages: Sequence[Message], starts: list[tuple[UUID, int]]) -> Iterator[int]:
    """Return where each of *starts* is or would be.

    Most often all have moved as far as the one before: the oldest messages went, or older came.
    """
    moved = 0
    for start, before in starts:
        here = before + moved
        if not (0 <= here < len(messages) and messages[here].id is start):
            here = bisect_left(messages, start, key=_id)
            moved = here - before
        yield here


def _id(message: Message) -> MessageId:
    return message.id
