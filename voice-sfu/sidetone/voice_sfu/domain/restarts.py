"""When a worker that died is started again: at once, and later and later where it keeps dying."""

from typing import NamedTuple

# Who lived this long is well: its next death is a first one.
STABLE_SECONDS = 10.0
PAUSE_SECONDS_MAX = 30.0
_PAUSE_SECONDS_MIN = 0.25
_TOLD_DEATHS = 2


class Restart(NamedTuple):
    """How long to wait, and whether people are told: the first deaths of a row say it all."""

    pause_seconds: float
    told: bool


class Restarts:
    """The deaths of one worker in a row."""

    def __init__(self) -> None:
        self._in_a_row = 0

    def died(self, lived_seconds: float) -> Restart:
        """Decide what comes after a life of *lived_seconds*; 0 where it did not even start."""
        if lived_seconds >= STABLE_SECONDS:
            self._in_a_row = 0
        # The pause grows no further than it has to, and neither does the number.
        pause_seconds = 0.0
        if self._in_a_row:
            pause_seconds = min(_PAUSE_SECONDS_MIN * 2 ** (self._in_a_row - 1), PAUSE_SECONDS_MAX)
        self._in_a_row = min(self._in_a_row + 1, 100)
        return Restart(pause_seconds, self._in_a_row <= _TOLD_DEATHS)
