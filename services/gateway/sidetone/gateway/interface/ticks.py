"""The time that deadlines are kept in: it never jumps, whatever is done to the wall clock."""

import asyncio

from sidetone.runtime.clock import Clock


class Ticks:
    """Milliseconds of the event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()

    def now_ms(self) -> int:
        """Return the present tick."""
        return int(self._loop.time() * 1000)

    def at(self, wall_ms: int) -> int:
        """Return the tick at which the wall clock will show *wall_ms*."""
        return self.now_ms() + wall_ms - self._clock.now_ms()
