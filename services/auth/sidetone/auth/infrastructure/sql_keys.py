"""The service's signing keys, in its database: every instance signs with the same ones."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from uuid import UUID

import msgspec
import structlog

from sidetone.auth.domain.key_schedule import DatedKey, Schedule, schedule
from sidetone.auth.infrastructure.sql import record
from sidetone.credentials.tokens import TokenPolicy, TokenSigner, key_set, new_private_key
from sidetone.e2ee.identity import SEED_LENGTH
from sidetone.e2ee.primitives import signing_key
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.storage import Database

# How soon an instance learns of a key that another one made, and sees that one is due.
LOOKED_AT_EVERY_SECONDS = 600.0

_TOKEN = "token"  # noqa: S105 - the purpose of a key, not a secret
_GRANT = "grant"
# Far more than are ever published at a time.
_KEYS_MAX = 64
_log = structlog.get_logger(__name__)


class _Key(msgspec.Struct, frozen=True):
    number: int
    id: UUID
    private: bytes
    created_at_ms: int


class KeyRing:
    """What the service signs with, and what others verify it by.

    Which token key is used is a matter of the time alone, so that instances agree without a word.
    """

    def __init__(self, database: Database, clock: Clock, policy: TokenPolicy) -> None:
        self._database = database
        self._clock = clock
        self._policy = policy
        self._tokens: list[_Key] = []
        self._signers: dict[int, TokenSigner] = {}
        self._published: tuple[list[int], bytes] = ([], b"")
        self._grants: list[_Key] = []

    @classmethod
    async def open(cls, database: Database, clock: Clock, policy: TokenPolicy) -> "KeyRing":
        """Return the keys, made now if this is the first start."""
        ring = cls(database, clock, policy)
        await ring.look()
        return ring

    @property
    def token_signer(self) -> TokenSigner:
        """The signer of the present key."""
        return self._signers[self._plan().signing]

    @property
    def token_key_set(self) -> bytes:
        """The published keys, as a JSON Web Key Set."""
        published = self._plan().published
        if published != self._published[0]:
            keys = {str(k.id): k.private for k in self._tokens if k.number in published}
            self._published = (published, key_set(keys))
        return self._published[1]

    @property
    def grant_seed(self) -> bytes:
        """Ed25519's 32-byte seed."""
        return self._grants[0].private

    @property
    def grant_keys(self) -> Sequence[bytes]:
        """Ed25519 public keys, the current one first."""
        return [signing_key(key.private)[0] for key in self._grants]

    async def look(self) -> None:
        """Read the keys, and make the next one where it is due."""
        self._take(await _keys(self._database, self._clock, _TOKEN, new_private_key))
        self._grants = await _keys(
            self._database, self._clock, _GRANT, lambda: secrets.token_bytes(SEED_LENGTH)
        )
        if self._plan().due:
            await self.rotate()

    async def rotate(self) -> None:
        """Make the next token key now; it signs after it was published for a day.

        Instances that do so at the same moment agree on one.
        """
        following = self._tokens[0].number + 1
        self._take(await _make(self._database, self._clock, _TOKEN, following, new_private_key))

    async def keep(self) -> None:
        """Look again and again, for as long as the process lives."""
        while True:
            await asyncio.sleep(LOOKED_AT_EVERY_SECONDS)
            try:
                await self.look()
            except Unavailable as unavailable:
                _log.warning("keys_not_read", reason=unavailable.detail)
            except Exception:
                _log.exception("keys_not_read")

    def _take(self, tokens: list[_Key]) -> None:
        self._signers = {
            key.number: self._signers.get(key.number)
            or TokenSigner(str(key.id), key.private, self._policy)
            for key in tokens
        }
        self._tokens = tokens

    def _plan(self) -> Schedule:
        dated = [DatedKey(key.number, key.created_at_ms) for key in self._tokens]
        return schedule(dated, self._clock.now_ms())


async def _keys(
    database: Database, clock: Clock, purpose: str, make: Callable[[], bytes]
) -> list[_Key]:
    found = await _stored(database, purpose)
    return found or await _make(database, clock, purpose, 1, make)


async def _make(
    database: Database, clock: Clock, purpose: str, number: int, make: Callable[[], bytes]
) -> list[_Key]:
    """Store a key unless another instance was faster; return all, as they are stored."""
    await database.execute(
        """
        INSERT INTO auth_keys (purpose, number, id, private, created_at_ms)
        VALUES (:purpose, :number, :id, :private, :now) ON CONFLICT (purpose, number) DO NOTHING
        """,
        {
            "purpose": purpose,
            "number": number,
            "id": clock.new_id(),
            "private": await asyncio.to_thread(make),
            "now": clock.now_ms(),
        },
    )
    return await _stored(database, purpose)


async def _stored(database: Database, purpose: str) -> list[_Key]:
    """Return the keys of a purpose, the newest first."""
    rows = await database.fetch(
        """
        SELECT number, id, private, created_at_ms FROM auth_keys
        WHERE purpose = :purpose ORDER BY number DESC LIMIT :limit
        """,
        {"purpose": purpose, "limit": _KEYS_MAX},
    )
    return [record(row, _Key) for row in rows]
