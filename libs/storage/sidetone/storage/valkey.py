"""The shared key-value store, on Valkey 7.2 or newer."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.exceptions import ConnectionError as ValkeyConnectionError
from valkey.exceptions import TimeoutError as ValkeyTimeoutError
from valkey.exceptions import ValkeyError

from sidetone.protocol.refusals import Unavailable
from sidetone.storage import EngineAway, StorageError
from sidetone.storage.meters import KEYVALUE
from sidetone.telemetry.metrics import Timed

_SECONDS_MAX = 2.0
# Whoever finds all of them in use waits.
_CONNECTIONS_MAX = 32

# Scripts, because each is one step for everybody else; the time is that of the server.
_REPLACE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
"""
# See `sidetone.storage.rates`, which this repeats line by line.
_TAKE = (
    _NOW
    + """
local count, period = tonumber(ARGV[1]), tonumber(ARGV[2])
local arrival = tonumber(redis.call('GET', KEYS[1]) or 0)
arrival = math.min(math.max(arrival, now), now + period)
local wait = arrival - now + period / count - period
if wait >= 1 then return string.format('%.17g', wait) end
arrival = arrival + period / count
redis.call('SET', KEYS[1], string.format('%.17g', arrival), 'PX', math.ceil(arrival - now))
return '0'
"""
)
# A set is sorted by when its members expire, and lives as long as the last of them.
_ADD_MEMBER = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
redis.call('PEXPIRE', KEYS[1], math.ceil(last - now))
"""
)
_MEMBERS = _NOW + "return redis.call('ZRANGE', KEYS[1], '(' .. now, '+inf', 'BYSCORE')"


class ValkeyKeyValue:
    """Keys of one logical database of a Valkey server."""

    def __init__(self, client: Valkey) -> None:
        self._client = client
        self._scripts = {
            script: client.register_script(script)
            for script in (_REPLACE, _TAKE, _ADD_MEMBER, _MEMBERS)
        }

    @classmethod
    async def open(cls, url: str) -> "ValkeyKeyValue":
        """Connect to ``valkey://host:port/number``. Raises ``StorageError``."""
        try:
            pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
                url,
                max_connections=_CONNECTIONS_MAX,
                timeout=_SECONDS_MAX,
                socket_timeout=_SECONDS_MAX,
                socket_connect_timeout=_SECONDS_MAX,
            )
        except ValueError as error:
            raise StorageError(f"not the URL of a Valkey server: {error}") from error
        client = Valkey.from_pool(pool)
        try:
            await client.ping()  # pyright: ignore[reportUnknownMemberType]
        except ValkeyError as error:
            await client.aclose()
            remedy = "check that the server runs and that the URL is right"
            raise EngineAway(f"cannot open the Valkey store: {error}; {remedy}") from error
        return cls(client)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when it is absent or expired."""
        with _translated():
            return await self._client.get(key)

    async def put(self, key: str, value: bytes, lifetime_seconds: float) -> None:
        """Store *value* for *lifetime_seconds*."""
        with _translated():
            await self._client.set(key, value, px=_milliseconds(lifetime_seconds))

    async def put_if_absent(self, key: str, value: bytes, lifetime_seconds: float) -> bytes:
        """Return the value that holds the key now: *value*, or the one that was there first."""
        with _translated():
            first = await self._client.set(
                key, value, px=_milliseconds(lifetime_seconds), nx=True, get=True
            )
        return value if first is None else first

    async def get_many(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Return the values of *keys*, in their order."""
        with _translated():
            return await self._client.mget(keys) if keys else []

    async def replace(
        self, key: str, before: bytes, after: bytes, lifetime_seconds: float
    ) -> bool:
        """Put *after* in the place of *before*, atomically; False if it was another value."""
        return await self._run(_REPLACE, key, before, after, _milliseconds(lifetime_seconds)) == 1

    async def remove(self, key: str) -> None:
        """Forget *key*."""
        with _translated():
            await self._client.delete(key)

    async def take(self, key: str, count: int, period_ms: int) -> float:
        """Count one attempt; return 0, or the seconds until the next one."""
        return float(await self._run(_TAKE, key, count, period_ms)) / 1_000

    async def add_member(self, key: str, member: str, lifetime_seconds: float) -> None:
        """Put *member* into the set at *key*, or renew it there."""
        await self._run(_ADD_MEMBER, key, member, _milliseconds(lifetime_seconds))

    async def remove_member(self, key: str, member: str) -> None:
        """Take *member* out of the set at *key*."""
        with _translated():
            await self._client.zrem(key, member)

    async def members(self, key: str) -> Sequence[str]:
        """Return the members of the set at *key* that have not expired, sorted."""
        members: list[bytes] = await self._run(_MEMBERS, key)
        return sorted(member.decode() for member in members)

    async def _run(self, script: str, key: str, *arguments: str | bytes | float) -> Any:  # noqa: ANN401 - each script returns what it says
        with _translated():
            return await self._scripts[script]([key], list(arguments))  # pyright: ignore[reportUnknownVariableType]


def _milliseconds(lifetime_seconds: float) -> int:
    return max(1, round(lifetime_seconds * 1_000))


@contextmanager
def _translated() -> Generator[None]:
    try:
        with Timed(KEYVALUE):
            yield
    except (ValkeyConnectionError, ValkeyTimeoutError) as error:
        detail = "the key-value store does not answer; try again later"
        raise Unavailable("keyvalue_unavailable", detail) from error
