"""The logins that are remembered: where, who, and the refresh token that opens the door again.

Tokens lie where the system keeps secrets, which has little room: what is no secret lies beside. A
token works once, so each new one is kept at once.
"""

import asyncio
from typing import Final, Protocol
from uuid import UUID

import msgspec

from sidetone.client.keystore import Secrets
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid

ACCOUNTS_MAX: Final = 20


class Remembered(msgspec.Struct, frozen=True):
    """An account that one was signed in to, and the address of its server machine."""

    address: str
    user: UserId
    name: str


class Keyring(Secrets, Protocol):
    """Where small secrets are kept, and can be forgotten. May block."""

    def forget(self, name: str) -> None:
        """Keep nothing under *name* any more."""
        ...


class LoginIndex(Protocol):
    """Where it is kept which logins there are. May block."""

    def read(self) -> list[Remembered]:
        """Return them; what cannot be read counts as nothing."""
        ...

    def write(self, logins: list[Remembered]) -> None:
        """Keep *logins* and no others. Raises ``Unavailable`` where that cannot be."""
        ...


class Logins:
    """The list of them, in the order in which they are shown."""

    def __init__(self, keyring: Keyring, index: LoginIndex) -> None:
        self.keyring = keyring
        self._index = index
        self._lock = asyncio.Lock()

    async def all(self) -> list[Remembered]:
        """Return what is remembered; what cannot be read counts as nothing."""
        return await asyncio.to_thread(self._index.read)

    async def token(self, of: Remembered) -> str | None:
        """Return the refresh token of a login."""
        kept = await asyncio.to_thread(self.keyring.get, _name(of.user))
        return kept.decode() if kept is not None else None

    async def keep(self, address: str, login: LoggedIn) -> None:
        """Remember *login* with the token that works now. Raises ``Invalid`` for too many."""
        async with self._lock:
            known = await self.all()
            entry = Remembered(address, login.user, login.name)
            others = [each for each in known if each.user != login.user]
            if len(others) >= ACCOUNTS_MAX:
                raise Invalid("accounts_too_many", f"sign out of one of {ACCOUNTS_MAX} accounts")
            secret = login.refresh_token.encode()
            await asyncio.to_thread(self.keyring.put, _name(login.user), secret)
            if entry not in known:
                await self._write([*others, entry])

    async def forget(self, user: UserId) -> None:
        """Remember a login no more."""
        async with self._lock:
            await self._write([each for each in await self.all() if each.user != user])
            await asyncio.to_thread(self.keyring.forget, _name(user))

    async def order(self, users: list[UserId]) -> None:
        """Remember them in this order."""
        async with self._lock:
            rank = {user: place for place, user in enumerate(users)}
            known = await self.all()
            await self._write(sorted(known, key=lambda each: rank.get(each.user, len(rank))))

    async def _write(self, logins: list[Remembered]) -> None:
        await asyncio.to_thread(self._index.write, logins)


def _name(user: UUID) -> str:
    return f"login-{user}"
