"""The key-value store of a single process."""

import time
from collections.abc import Callable, Sequence

from sidetone.protocol.refusals import Unavailable
from sidetone.storage.rates import attempt

KEYS_MAX = 100_000


class MemoryKeyValue:
    """Keys with expiry in dictionaries; at most ``KEYS_MAX``, the expired included.

    A member of a set counts as a key.
    """

    def __init__(self, now_seconds: Callable[[], float] = time.monotonic) -> None:
        self._now_seconds = now_seconds
        self._entries: dict[str, tuple[bytes, float]] = {}
        self._sets: dict[str, dict[str, float]] = {}
        self._members = 0

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when it is absent or expired."""
        return self._get(key)

    async def get_many(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Return the values of *keys*, in their order."""
        return [self._get(key) for key in keys]

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

    async def replace(
        self, key: str, before: bytes, after: bytes, lifetime_seconds: float
    ) -> bool:
        """Put *after* in the place of *before*; False if it was another value."""
        if self._get(key) != before:
            return False
        self._put(key, after, lifetime_seconds)
        return True

    async def remove(self, key: str) -> None:
        """Forget *key*, be it a value or a set."""
        self._entries.pop(key, None)
        self._members -= len(self._sets.pop(key, ()))

    async def take(self, key: str, count: int, period_ms: int) -> float:
        """Count one attempt; return 0, or the seconds until the next one."""
        now_ms = self._now_seconds() * 1_000
        arrival_ms, wait_ms = attempt(float(self._get(key) or 0), now_ms, count, period_ms)
        if not wait_ms:
            # The value tells as much as an absent one when its time has come.
            self._put(key, repr(arrival_ms).encode(), (arrival_ms - now_ms) / 1_000)
        return wait_ms / 1_000

    async def add_member(self, key: str, member: str, lifetime_seconds: float) -> None:
        """Put *member* into the set at *key*, or renew it there. Raises ``Unavailable``: full."""
        if member not in self._sets.get(key, ()):
            self._make_room()
            self._members += 1
        self._sets.setdefault(key, {})[member] = self._now_seconds() + lifetime_seconds

    async def remove_member(self, key: str, member: str) -> None:
        """Take *member* out of the set at *key*."""
        members = self._sets.get(key, {})
        if members.pop(member, None) is not None:
            self._members -= 1
        if not members:
            self._sets.pop(key, None)

    async def members(self, key: str) -> Sequence[str]:
        """Return the members of the set at *key* that have not expired, sorted."""
        now = self._now_seconds()
        present = self._sets.get(key, {}).items()
        return sorted(member for member, expires_at in present if expires_at > now)

    def _get(self, key: str) -> bytes | None:
        value, expires_at = self._entries.get(key, (None, 0.0))
        return value if expires_at > self._now_seconds() else None

    def _put(self, key: str, value: bytes, lifetime_seconds: float) -> None:
        if key not in self._entries:
            self._make_room()
        self._entries[key] = (value, self._now_seconds() + lifetime_seconds)

    def _make_room(self) -> None:
        if len(self._entries) + self._members < KEYS_MAX:
            return
        now = self._now_seconds()
        self._entries = {key: entry for key, entry in self._entries.items() if entry[1] > now}
        alive = {
            key: {member: expires_at for member, expires_at in members.items() if expires_at > now}
            for key, members in self._sets.items()
        }
        self._sets = {key: members for key, members in alive.items() if members}
        self._members = sum(map(len, self._sets.values()))
        if len(self._entries) + self._members >= KEYS_MAX:
            detail = f"the store holds {KEYS_MAX} keys and none has expired; try again later"
            raise Unavailable("keyvalue_full", detail)
