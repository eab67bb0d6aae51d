"""How many bits a second a screen is sent with: as many as every viewer gets in time. Pure.

The measure is how long frames are on their way: a path that has room carries each in a moment
and is idle until the next, a path that is full is never idle. Times are seconds of any monotonic
clock.
"""

import math
from typing import Final

BITS_PER_SECOND_MIN: Final = 300_000
"""Less is of no use to anybody: whose path carries less misses pictures instead."""

_BUSY_PERCENT: Final = 80
_REPORT_SECONDS: Final = 1.0
# A cut shows after a round trip and what is still queued.
_CUT_SECONDS: Final = 1.0
_CALM_SECONDS: Final = 4.0
_CUT: Final = 0.85
_CUT_MAX: Final = 0.5
_GROWTH: Final = 1.1


class PathUse:
    """How busy a path was with the frames of one source; says so only when it is too much."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._busy_until = -math.inf
        self._busy_seconds = 0.0
        self._bytes = 0
        self._missed = False

    def add(self, count: int, began_at: float, ended_at: float) -> None:
        """Note a frame of so many bytes that was on its way between two moments."""
        if self._since is None:
            self._since = began_at
        self._bytes += count
        self._busy_seconds += max(0.0, ended_at - max(began_at, self._busy_until))
        self._busy_until = max(self._busy_until, ended_at)

    def missed(self) -> None:
        """Note that a frame never came."""
        self._missed = True

    def report(self, now: float) -> tuple[int, int] | None:
        """Once a second, return how busy (percent) the path was and what it carried (bits/s).

        None while it has room.
        """
        if self._since is None or now - self._since < _REPORT_SECONDS:
            return None
        seconds = now - self._since
        busy_percent = min(100, round(100 * self._busy_seconds / seconds))
        trouble = self._missed or busy_percent >= _BUSY_PERCENT
        carried = round(8 * self._bytes / seconds)
        self._since, self._busy_seconds, self._bytes, self._missed = now, 0.0, 0, False
        return (busy_percent, carried) if trouble else None


class ScreenRate:
    """The rate of one screen, from its viewers' trouble and its own."""

    def __init__(self, bits_per_second_max: int) -> None:
        self.bits_per_second = self._max = bits_per_second_max
        self._cut_at = self._grown_at = -math.inf

    def trouble(self, carried_bits_per_second: int, now: float) -> bool:
        """Note that a path is too full, or misses frames; tells whether the rate has changed."""
        if now - self._cut_at < _CUT_SECONDS:
            return False
        self._cut_at = now
        least = max(_CUT_MAX * self.bits_per_second, float(BITS_PER_SECOND_MIN))
        most = _CUT * self.bits_per_second
        wanted = round(max(least, min(most, _CUT * carried_bits_per_second)))
        return self._set(wanted)

    def grow(self, now: float) -> bool:
        """Try more, a tenth a second, when nobody had trouble for a while; call it often."""
        if now - self._cut_at < _CALM_SECONDS or now - self._grown_at < _REPORT_SECONDS:
            return False
        self._grown_at = now
        return self._set(round(self.bits_per_second * _GROWTH))

    def _set(self, wanted: int) -> bool:
        before = self.bits_per_second
        self.bits_per_second = max(min(BITS_PER_SECOND_MIN, self._max), min(wanted, self._max))
        return self.bits_per_second != before
