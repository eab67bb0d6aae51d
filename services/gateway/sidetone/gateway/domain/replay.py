"""The last events of one session, kept for a socket that is slow or has to come back.

Each event is encoded once and shared by all sessions that are told: what is a session's own is a
number of fixed width in the middle. A ring holds references, not copies.
"""

from collections import deque
from itertools import islice

_NUMBER_DIGITS = 10
SEQUENCE_MAX = 10**_NUMBER_DIGITS - 1


class Encoded:
    """An event as it goes on the wire, but for its number, which stands behind *head*."""

    __slots__ = ("head", "size", "tail")

    def __init__(self, head: bytes, tail: bytes) -> None:
        self.head = head
        self.tail = tail
        self.size = len(head) + _NUMBER_DIGITS + len(tail)

    def numbered(self, sequence: int) -> bytes:
        """Return the whole frame; ten digits wide, so that its length is always the same."""
        return b"%b%10d%b" % (self.head, sequence, self.tail)


class Replay:
    """A bounded ring: at most *count_max* events, and *bytes_max* bytes unless one is larger."""

    __slots__ = ("_bytes", "_bytes_max", "_count_max", "_events", "last")

    def __init__(self, last: int, count_max: int, bytes_max: int) -> None:
        self.last = last
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._events: deque[Encoded] = deque()

    @property
    def first(self) -> int:
        """The number of the oldest event that is kept; one above *last* if none is."""
        return self.last - len(self._events) + 1

    def add(self, event: Encoded) -> None:
        """Keep *event* as the next number, and let go of the oldest beyond the bounds."""
        self.last += 1
        events = self._events
        events.append(event)
        self._bytes += event.size
        if len(events) > self._count_max or self._bytes > self._bytes_max:
            self._let_go()

    def _let_go(self) -> None:
        events = self._events
        while len(events) > self._count_max or (self._bytes > self._bytes_max and len(events) > 1):
            self._bytes -= events.popleft().size

    def forget(self, sequence: int) -> None:
        """Let go of everything up to *sequence*."""
        for _ in range(min(sequence - self.first + 1, len(self._events))):
            self._bytes -= self._events.popleft().size

    def newest(self) -> bytes:
        """Return the frame of the last event; there must be one."""
        return self._events[-1].numbered(self.last)

    def after(self, sequence: int) -> bytes:
        """Return the frames that follow *sequence*, which must all be kept."""
        following = islice(self._events, sequence - self.first + 1, None)
        return b"".join([event.numbered(n) for n, event in enumerate(following, sequence + 1)])

    def bytes_after(self, sequence: int) -> int:
        """Return the size of the frames that follow *sequence*."""
        return sum(event.size for event in islice(self._events, sequence - self.first + 1, None))
