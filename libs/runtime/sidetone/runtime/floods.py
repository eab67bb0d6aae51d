"""A limit that one process keeps by itself: no I/O, for what comes with every request.

At most ``keys_max`` keys are held; the ones that were idle longest go first, and an idle key has
nothing to be remembered for.
"""

from collections import OrderedDict

from sidetone.protocol.refusals import RateLimited
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limit
from sidetone.storage.rates import attempt


class FloodGuard:
    """Applies one limit to each key on its own."""

    def __init__(self, limit: Limit, clock: Clock, keys_max: int = 100_000) -> None:
        self._limit = limit
        self._clock = clock
        self._keys_max = keys_max
        self._arrivals_ms: OrderedDict[object, float] = OrderedDict()

    def take(self, key: object) -> None:
        """Count one attempt of *key*, which can be hashed. Raises ``RateLimited``."""
        arrival_ms, wait_ms = attempt(
            self._arrivals_ms.get(key, 0.0),
            self._clock.now_ms(),
            self._limit.count,
            self._limit.period_ms,
        )
        if wait_ms > 0:
            raise RateLimited("too_fast", "too many requests; slow down", wait_ms / 1000)
        self._arrivals_ms[key] = arrival_ms
        self._arrivals_ms.move_to_end(key)
        if len(self._arrivals_ms) > self._keys_max:
            self._arrivals_ms.popitem(last=False)
