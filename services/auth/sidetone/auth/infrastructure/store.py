"""What auth keeps in the key-value store: challenges, devices being linked, ended logins."""

import secrets
from collections.abc import Sequence

import structlog

from sidetone.auth.application.ports import Ended
from sidetone.auth.domain.secret import SECRET_BYTES, secret_sha256, secret_text
from sidetone.credentials.tokens import LIFETIME_SECONDS
from sidetone.protocol.events import Fact, LoginEnded
from sidetone.protocol.ids import DeviceId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.callers import denied_key
from sidetone.storage import KeyValue

_log = structlog.get_logger(__name__)
_TAKEN = b""


class StoreChallenges:
    """Challenges under the hash of their secret; the store never sees the secret itself."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def put(self, kind: str, value: bytes, lifetime_ms: int) -> str:
        """Keep *value* and return the new secret that it is found by."""
        secret = secret_text(secrets.token_bytes(SECRET_BYTES))
        await self._store.put(_key(kind, secret), value, lifetime_ms / 1000)
        return secret

    async def peek(self, kind: str, secret: str) -> bytes | None:
        """Return the value and keep it."""
        return await self._store.get(_key(kind, secret)) or None

    async def take(self, kind: str, secret: str) -> bytes | None:
        """Return the value and forget it: of several takers at once one gets it."""
        key = _key(kind, secret)
        value = await self._store.get(key)
        # To replace is atomic, to read and to remove is not.
        if not value or not await self._store.replace(key, value, _TAKEN, 1.0):
            return None
        await self._store.remove(key)
        return value


class StoreDenials:
    """The deny-list: a login stands there for as long as a token of it can live."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def deny(self, ended: Sequence[Ended]) -> None:
        """Have the access tokens of these logins refused at once.

        While the store is down it comes later: ``hear`` does it again.
        """
        try:
            for one in ended:
                await self._deny(one)
        except Unavailable as unavailable:
            _log.warning("denials_wait", reason=unavailable.detail)

    async def hear(self, fact: Fact) -> None:
        """Deny what was announced to be over. Raises ``Unavailable``: tell it again then."""
        if isinstance(fact.event, LoginEnded):
            await self._deny(Ended(fact.event.user, fact.event.login))

    async def _deny(self, ended: Ended) -> None:
        await self._store.put(denied_key(ended.login), b"1", LIFETIME_SECONDS)


class StoreLinks:
    """What passes between two devices of a user, by the new device's id."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    async def ask(self, device: DeviceId, ask: bytes, lifetime_ms: int) -> None:
        """Keep what *device* asks with, and nothing that it was answered before."""
        await self._store.remove(f"auth:link_answer:{device}")
        await self._store.put(f"auth:link_ask:{device}", ask, lifetime_ms / 1000)

    async def asked(self, device: DeviceId) -> bytes | None:
        """Return what *device* asks with, None if it does not wait."""
        return await self._store.get(f"auth:link_ask:{device}")

    async def answer(self, device: DeviceId, give: bytes, lifetime_ms: int) -> None:
        """Keep what is for *device*."""
        await self._store.put(f"auth:link_answer:{device}", give, lifetime_ms / 1000)

    async def answered(self, device: DeviceId) -> bytes | None:
        """Return what is for *device*, None if nothing is there yet."""
        return await self._store.get(f"auth:link_answer:{device}")


def _key(kind: str, secret: str) -> str:
    return f"auth:{kind}:{secret_sha256(secret).hex()}"
