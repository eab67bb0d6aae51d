"""Rate limits by the generic cell rate algorithm (ITU-T I.371), in this process.

One number per key: the theoretical arrival time. No queue, no background task, no clock: the time
comes in. At most ``keys_max`` keys are held; the ones that were idle longest go first, and an
idle key has nothing to be remembered for.
"""

from collections import OrderedDict

import msgspec

from sidetone.protocol.refusals import RateLimited


class Limit(msgspec.Struct, frozen=True):
    """At most *count* in a burst, refilled evenly over *period_ms*; both above zero."""

    count: int
    period_ms: int


class Limiter:
    """Applies one limit to each key on its own."""

    def __init__(self, limit: Limit, keys_max: int = 100_000) -> None:
        # Time is counted in 1/count ms, so that everything is a whole number.
        self._units = limit.count
        self._interval = limit.period_ms
        self._burst = limit.period_ms * (limit.count - 1)
        self._keys_max = keys_max
        self._arrivals: OrderedDict[str, int] = OrderedDict()

    def take(self, key: str, now_ms: int) -> None:
        """Count one attempt of *key*. Raises ``RateLimited`` with the time until the next one.

        A refused attempt is not counted: who waits as told gets in.

        >>> limiter = Limiter(Limit(count=2, period_ms=60_000))
        >>> limiter.take("ada", 0); limiter.take("ada", 0); limiter.take("ada", 0)
        Traceback (most recent call last):
        sidetone.protocol.refusals.RateLimited: rate_limited: too many attempts; wait 30 s
        """
        now = now_ms * self._units
        arrival = max(self._arrivals.get(key, 0), now)
        if arrival > now + self._burst + self._interval:
            # No attempt can have set this: the clock has stepped back.
            arrival = self._arrivals[key] = now + self._burst + self._interval
        wait = arrival - self._burst - now
        if wait > 0:
            seconds = -(-wait // (1000 * self._units))
            raise RateLimited("rate_limited", f"too many attempts; wait {seconds} s", seconds)
        self._arrivals[key] = arrival + self._interval
        self._arrivals.move_to_end(key)
        if len(self._arrivals) > self._keys_max:
            self._arrivals.popitem(last=False)
