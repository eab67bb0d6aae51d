"""The key-value store of a single process."""

import time
from collections.abc import Callable

from sidetone.protocol.refusals import Unavailable

KEYS_MAX = 100_000


class MemoryKeyValue:
    """Keys with expiry in a dictionary; at most ``KEYS_MAX``, the expired included."""

    def __init__(self, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._now_seconds = now_seconds
        self._entries: dict[str, tuple[bytes, float]] = {}

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when it is absent or expired."""
        return self._get(key)

    async def put(self, key: str, value: bytes, lifetime_seconds: float) -> None:
        """Store *value* for *lifetime_seconds*. Raises ``Unavailable`` where no key expires."""
        self._put(key, value, lifetime_seconds)

    async def put_if_absent(self, key: str, value: bytes, lifetime_seconds: float) -> bytes:
        """Return the value that holds the key now: *value*, or the one that was there first."""
        present = self._get(key)
        if present is not None:
            return present
        self._put(key, value, lifetime_seconds)
        return value

    async def remove(self, key: str) -> None:
        """Forget *key*."""
        self._entries.pop(key, None)

    def _get(self, key: str) -> bytes | None:
        value, expires_at = self._entries.get(key, (None, 0.0))
        return value if expires_at > self._now_seconds() else None

    def _put(self, key: str, value: bytes, lifetime_seconds: float) -> None:
        now = self._now_seconds()
        if key not in self._entries and len(self._entries) >= KEYS_MAX:
            self._entries = {k: entry for k, entry in self._entries.items() if entry[1] > now}
        if key not in self._entries and len(self._entries) >= KEYS_MAX:
            detail = f"the store holds {KEYS_MAX} keys and none has expired; try again later"
            raise Unavailable("keyvalue_full", detail)
        self._entries[key] = (value, now + lifetime_seconds)
