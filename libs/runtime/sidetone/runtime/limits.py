"""Rate limits that hold in the whole cluster: the key-value store counts."""

import math

import msgspec

from sidetone.protocol.refusals import RateLimited, Unavailable
from sidetone.storage import KeyValue


class Limit(msgspec.Struct, frozen=True):
    """At most *count* in a burst, refilled evenly over *period_ms*; both above zero."""

    count: int
    period_ms: int


class Limiter:
    """Applies one limit to each key on its own; *name* keeps the limits of a store apart.

    While the store is down everything is refused, or nothing where the limit is *open_when_down*:
    guessing passwords has to wait, people who talk do not.
    """

    def __init__(
        self, store: KeyValue, name: str, limit: Limit, *, open_when_down: bool = False
    ) -> None:
        self._store = store
        self._name = name
        self._limit = limit
        self._open_when_down = open_when_down

    async def take(self, key: str) -> None:
        """Count one attempt of *key*. Raises ``RateLimited`` with the time until the next one.

        A refused attempt is not counted: who waits as told gets in.
        """
        try:
            wait_seconds = await self._store.take(
                f"limit:{self._name}:{key}", self._limit.count, self._limit.period_ms
            )
        except Unavailable:
            if self._open_when_down:
                return
            raise
        if wait_seconds:
            seconds = math.ceil(wait_seconds)
            raise RateLimited("rate_limited", f"too many attempts; wait {seconds} s", seconds)
