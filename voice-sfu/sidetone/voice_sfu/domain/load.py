"""How much of a core this process used lately; pure: what it used comes in as a number."""

import math

# An average that follows within seconds, so that one burst moves no rooms.
_FOLLOWS_WITHIN_SECONDS = 5.0
# In steps: services that miss a heartbeat should weigh alike all the same.
_STEP_PERCENT = 5


class Load:
    """The share of one core; above 100 where several threads are busy."""

    def __init__(self) -> None:
        self._share = 0.0
        self._last: tuple[float, float] | None = None

    def note(self, used_seconds: float, now_seconds: float) -> None:
        """Note how much CPU time the process has used since its start."""
        if self._last is not None and now_seconds > self._last[1]:
            passed = now_seconds - self._last[1]
            weight = 1 - math.exp(-passed / _FOLLOWS_WITHIN_SECONDS)
            self._share += weight * ((used_seconds - self._last[0]) / passed - self._share)
        self._last = used_seconds, now_seconds

    @property
    def percent(self) -> int:
        """The share in percent."""
        return round(self._share * 100 / _STEP_PERCENT) * _STEP_PERCENT
