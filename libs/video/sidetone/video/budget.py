"""Which pictures are worth their bits: none while a still screen stays, none above the rate. Pure.

Times are seconds of any monotonic clock.
"""

from typing import Final

_SETTLE_FRAMES: Final = 15
"""How often a screen that has come to rest is coded on: each time it gets sharper."""

_DEBT_SECONDS_MAX: Final = 0.25
_KEYFRAME_DEBT_SECONDS: Final = 0.5


class Budget:
    """Decides over the pictures of one screen, one after another.

    An encoder keeps its rate on average and where its coarsest steps allow it; where they do not,
    pictures are left out, so that what is sent is never late.
    """

    def __init__(self, frames_per_second: int, bits_per_second: int) -> None:
        self.bits_per_second = bits_per_second
        self._interval_seconds = 1 / frames_per_second
        self._debt_bits = 0.0
        self._paid_at: float | None = None
        self._next_at: float | None = None
        self._settles = 0

    def wait_seconds(self, now: float) -> float:
        """Return how long to wait before the next picture is taken."""
        self._pay(now)
        due = 0.0 if self._next_at is None else self._next_at - now
        over_bits = self._debt_bits - self.bits_per_second * _DEBT_SECONDS_MAX
        return max(0.0, due, over_bits / self.bits_per_second)

    def took(self, now: float, *, changed: bool, keyframe_wanted: bool) -> bool:
        """Note that a picture was taken; tells whether it is to be encoded."""
        late = self._next_at is None or now - self._next_at > self._interval_seconds
        self._next_at = (now if late else self._next_at or now) + self._interval_seconds
        self._settles = _SETTLE_FRAMES if changed or keyframe_wanted else self._settles - 1
        return self._settles > 0

    def spent(self, count: int, now: float, *, keyframe: bool) -> None:
        """Note the bytes of a frame; a keyframe may cost half a second of pictures, not more."""
        self._pay(now)
        bits = 8.0 * count
        self._debt_bits += (
            min(bits, self.bits_per_second * _KEYFRAME_DEBT_SECONDS) if keyframe else bits
        )

    def _pay(self, now: float) -> None:
        if self._paid_at is not None:
            self._debt_bits -= (now - self._paid_at) * self.bits_per_second
        self._debt_bits = max(0.0, self._debt_bits)
        self._paid_at = now
