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
        self._interval_ms = limit.period_ms / limit.count
        self._burst_ms = limit.period_ms - self._interval_ms
        self._keys_max = keys_max
        self._arrivals_ms: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, now_ms: int) -> None:
        """Count one attempt of *key*. Raises ``RateLimited`` with the time until the next one.

        A refused attempt is not counted: who waits as told gets in.

        >>> limiter = Limiter(Limit(count=2, period_ms=60_000))
        >>> limiter.take("ada", 0); limiter.take("ada", 0); limiter.take("ada", 0)
        Traceback (most recent call last):
        sidetone.protocol.refusals.RateLimited: rate_limited: too many attempts; wait 30 s
        """
        arrival_ms = max(self._arrivals_ms.get(key, 0.0), float(now_ms))
        wait_ms = arrival_ms - self._burst_ms - now_ms
        if wait_ms > 0:
            seconds = -(-int(wait_ms + 0.5) // 1000)
            raise RateLimited(
                "rate_limited", f"too many attempts; wait {seconds} s", float(max(seconds, 1))
            )
        self._arrivals_ms[key] = arrival_ms + self._interval_ms
        self._arrivals_ms.move_to_end(key)
        if len(self._arrivals_ms) > self._keys_max:
            self._arrivals_ms.popitem(last=False)
