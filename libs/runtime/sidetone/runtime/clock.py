"""The only module that reads the wall clock or makes ids from it."""

import time
from typing import Protocol
from uuid import UUID

from uuid_utils.compat import uuid7


class Clock(Protocol):
    """Tells the time and hands out ids that sort by it."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        ...

    def new_id(self) -> UUID:
        """Return a UUIDv7: unique, and it sorts after the ids of earlier milliseconds."""
        ...


class SystemClock:
    """The real time."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000

    def new_id(self) -> UUID:
        """Return a UUIDv7 of this moment."""
        return uuid7()
