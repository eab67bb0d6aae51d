"""What the use cases need from the outside."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.auth.domain.account import Account
from sidetone.auth.domain.device import Device
from sidetone.auth.domain.login import Login, RefreshToken
from sidetone.credentials.tokens import TokenSigner
from sidetone.protocol.ids import DeviceId, UserId


class Accounts(Protocol):
    """Everybody who can log in."""

    async def add(self, account: Account, name_key: str, now_ms: int) -> None:
        """Store a new account. Raises ``Conflict`` if the name is taken."""
        ...

    async def named(self, name_key: str) -> Account | None:
        """Return the account of that name."""
        ...

    async def get(self, user: UserId) -> Account | None:
        """Return the account with that id."""
        ...

    async def change_password_hash(self, user: UserId, before: str, after: str) -> None:
        """Replace the hash, unless it is no longer *before*."""
        ...


class Logins(Protocol):
    """Who is signed in."""

    async def add(self, login: Login, token: RefreshToken) -> None:
        """Store a new login with its first token; the account's dead and oldest ones go."""
        ...

    async def of_family(self, token: RefreshToken) -> Login | None:
        """Return the login whose family *token* claims to be of."""
        ...

    async def rotate(self, before: RefreshToken, after: RefreshToken, now_ms: int) -> bool:
        """Put *after* in the place of *before*, atomically; False if another was faster."""
        ...

    async def end(self, token: RefreshToken) -> None:
        """End the login whose family *token* is of."""
        ...


class Devices(Protocol):
    """The devices of all users."""

    async def put(self, device: Device) -> bool:
        """Store *device*, or renew it; False if its id stands for other keys or another user."""
        ...

    async def get(self, device: DeviceId) -> Device | None:
        """Return a device."""
        ...

    async def count_others(self, device: Device) -> int:
        """Return how many devices its user has besides this one."""
        ...


class SigningKeys(msgspec.Struct, frozen=True):
    """What the service signs with, and what others verify it by.

    ``grant_seed`` is Ed25519's 32-byte seed; ``grant_keys`` are public, the current one first.
    """

    token_signer: TokenSigner
    token_key_set: bytes
    grant_seed: bytes
    grant_keys: Sequence[bytes]
