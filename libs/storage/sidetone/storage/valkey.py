"""The shared key-value store, on Valkey 7.2 or newer."""

from collections.abc import Generator
from contextlib import contextmanager

from valkey.asyncio import Valkey
from valkey.exceptions import ConnectionError as ValkeyConnectionError
from valkey.exceptions import TimeoutError as ValkeyTimeoutError
from valkey.exceptions import ValkeyError

from sidetone.protocol.refusals import Unavailable
from sidetone.storage import StorageError

_SECONDS_MAX = 2.0


class ValkeyKeyValue:
    """Keys of one logical database of a Valkey server."""

    def __init__(self, client: Valkey) -> None:
        self._client = client

    @classmethod
    async def open(cls, url: str) -> "ValkeyKeyValue":
        """Connect to ``valkey://host:port/number``. Raises ``StorageError``."""
        try:
            client = Valkey.from_url(
                url, socket_timeout=_SECONDS_MAX, socket_connect_timeout=_SECONDS_MAX
            )
        except ValueError as error:
            raise StorageError(f"not the URL of a Valkey server: {error}") from error
        try:
            await client.ping()  # pyright: ignore[reportUnknownMemberType]
        except ValkeyError as error:
            await client.aclose()
            remedy = "check that the server runs and that the URL is right"
            raise StorageError(f"cannot open the Valkey store: {error}; {remedy}") from error
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

    async def remove(self, key: str) -> None:
        """Forget *key*."""
        with _translated():
            await self._client.delete(key)


def _milliseconds(lifetime_seconds: float) -> int:
    return max(1, round(lifetime_seconds * 1_000))


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except (ValkeyConnectionError, ValkeyTimeoutError) as error:
        detail = "the key-value store does not answer; try again later"
        raise Unavailable("keyvalue_unavailable", detail) from error
