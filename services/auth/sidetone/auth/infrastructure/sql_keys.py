"""The service's signing keys, in its database: every instance signs with the same ones."""

import asyncio
import secrets
from collections.abc import Callable
from uuid import UUID

import msgspec

from sidetone.auth.application.ports import SigningKeys
from sidetone.credentials.tokens import TokenPolicy, TokenSigner, key_set, new_private_key
from sidetone.e2ee.identity import SEED_LENGTH
from sidetone.e2ee.primitives import signing_key
from sidetone.runtime.clock import Clock
from sidetone.storage import Database

_TOKEN = "token"  # noqa: S105  # the purpose of a key, not a secret
_GRANT = "grant"


class _Key(msgspec.Struct, frozen=True):
    id: UUID
    private: bytes


async def load_signing_keys(database: Database, clock: Clock, policy: TokenPolicy) -> SigningKeys:
    """Return the keys, made now if this is the first start; the newest of a purpose signs.

    Instances that start together agree: the first row wins, and all read it back.
    """
    tokens = await _keys(database, clock, _TOKEN, new_private_key)
    grants = await _keys(database, clock, _GRANT, lambda: secrets.token_bytes(SEED_LENGTH))
    return SigningKeys(
        token_signer=TokenSigner(str(tokens[0].id), tokens[0].private, policy),
        token_key_set=key_set({str(key.id): key.private for key in tokens}),
        grant_seed=grants[0].private,
        grant_keys=[signing_key(key.private)[0] for key in grants],
    )


async def _keys(
    database: Database, clock: Clock, purpose: str, make: Callable[[], bytes]
) -> list[_Key]:
    found = await _stored(database, purpose)
    if found:
        return found
    await database.execute(
        """
        INSERT INTO auth_keys (purpose, number, id, private, created_at_ms)
        VALUES (:purpose, 1, :id, :private, :now) ON CONFLICT (purpose, number) DO NOTHING
        """,
        {
            "purpose": purpose,
            "id": clock.new_id(),
            "private": await asyncio.to_thread(make),
            "now": clock.now_ms(),
        },
    )
    return await _stored(database, purpose)


async def _stored(database: Database, purpose: str) -> list[_Key]:
    rows = await database.fetch(
        "SELECT id, private FROM auth_keys WHERE purpose = :purpose ORDER BY number DESC LIMIT 8",
        {"purpose": purpose},
    )
    return [msgspec.convert({"id": key, "private": private}, _Key) for key, private in rows]
