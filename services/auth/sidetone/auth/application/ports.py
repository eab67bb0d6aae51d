"""What the use cases need from the outside."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from sidetone.auth.domain.account import Account
from sidetone.auth.domain.bot import BotRecord
from sidetone.auth.domain.device import Device
from sidetone.auth.domain.login import Login, RefreshToken
from sidetone.credentials.tokens import TokenSigner
from sidetone.protocol.bots import BotScope
from sidetone.protocol.ids import DeviceId, LoginId, UserId


class Ended(msgspec.Struct, frozen=True):
    """A login that is over, and was announced to be."""

    user: UserId
    login: LoginId


class Accounts(Protocol):
    """Everybody who can log in. A closed account is as good as none, but keeps its name."""

    async def add(self, account: Account, name_key: str) -> None:
        """Store a new account. Raises ``Conflict`` if the name is taken."""
        ...

    async def named(self, name_key: str) -> Account | None:
        """Return the account of that name."""
        ...

    async def get(self, user: UserId) -> Account | None:
        """Return the account with that id."""
        ...

    async def many(self, users: Sequence[UserId]) -> list[Account]:
        """Return the accounts of *users* that exist, in any order."""
        ...

    async def edit(self, account: Account, version: int) -> bool:
        """Store and announce what others see, unless it is no longer *version*."""
        ...

    async def renew_password_hash(self, user: UserId, before: str, after: str) -> None:
        """Replace the hash by one of the same password, unless it is no longer *before*."""
        ...

    async def change_password(
        self, user: UserId, before: str, after: str, keep: LoginId
    ) -> list[Ended] | None:
        """Replace the hash and end all logins but *keep*; None if it was no longer *before*."""
        ...

    async def reset_password(
        self, user: UserId, token_sha256: bytes, after: str
    ) -> list[Ended] | None:
        """Use the token up, replace the hash and end all logins; None if the token is gone."""
        ...

    async def close(self, user: UserId, now_ms: int) -> list[Ended]:
        """Forget all that is personal, of the user and of their bots; end and announce it."""
        ...


class Logins(Protocol):
    """Who is signed in."""

    async def add(self, login: Login, token: RefreshToken) -> list[Ended]:
        """Store a new login with its first token; the account's dead and oldest ones go.

        Raises ``Forbidden`` where the account is disabled or closed by now.
        """
        ...

    async def of_family(self, token: RefreshToken) -> Login | None:
        """Return the login whose family *token* claims to be of."""
        ...

    async def of_user(self, user: UserId) -> list[Login]:
        """Return the logins of *user*, the one used last first."""
        ...

    async def rotate(self, before: RefreshToken, after: RefreshToken, now_ms: int) -> bool:
        """Put *after* in the place of *before*, atomically; False if another was faster."""
        ...

    async def end(self, user: UserId, login: LoginId) -> list[Ended]:
        """End one login of *user*."""
        ...

    async def end_others(self, user: UserId, keep: LoginId) -> list[Ended]:
        """End all logins of *user* but *keep*."""
        ...


class Denials(Protocol):
    """Which logins ended before their access tokens did."""

    async def deny(self, ended: Sequence[Ended]) -> None:
        """Have the access tokens of these logins refused at once.

        While the store is down it comes later: who follows the announcement does it again.
        """
        ...


class Devices(Protocol):
    """The devices of all users."""

    async def put(self, device: Device) -> bool:
        """Store *device*, or renew it; False if its id stands for other keys or another user."""
        ...

    async def get(self, device: DeviceId) -> Device | None:
        """Return a device."""
        ...

    async def of_user(self, user: UserId) -> list[Device]:
        """Return the devices of *user*, the oldest first."""
        ...

    async def remove(self, user: UserId, device: DeviceId) -> bool:
        """Forget a device of *user*; False if there is none."""
        ...

    async def count_others(self, device: Device) -> int:
        """Return how many devices its user has besides this one."""
        ...


class Links(Protocol):
    """What two devices of a user say until the new one is linked; gone after a while."""

    async def ask(self, device: DeviceId, ask: bytes, lifetime_ms: int) -> None:
        """Keep what *device* asks with, and nothing that it was answered before."""
        ...

    async def asked(self, device: DeviceId) -> bytes | None:
        """Return what *device* asks with, None if it does not wait."""
        ...

    async def answer(self, device: DeviceId, give: bytes, lifetime_ms: int) -> None:
        """Keep what is for *device*."""
        ...

    async def answered(self, device: DeviceId) -> bytes | None:
        """Return what is for *device*, None if nothing is there yet."""
        ...


class SigningKeys(Protocol):
    """What the service signs with, and what others verify it by; token keys change with time."""

    @property
    def token_signer(self) -> TokenSigner:
        """The signer of the present key."""
        ...

    @property
    def token_key_set(self) -> bytes:
        """The published keys, as a JSON Web Key Set."""
        ...

    @property
    def grant_seed(self) -> bytes:
        """Ed25519's 32-byte seed."""
        ...

    @property
    def grant_keys(self) -> Sequence[bytes]:
        """Ed25519 public keys, the current one first."""
        ...


Purpose: TypeAlias = Literal["reset", "verify"]


class Offer(msgspec.Struct, frozen=True):
    """A token that is under way to *address*, and what it is good for until *expires_at_ms*."""

    token_sha256: bytes
    address: str
    expires_at_ms: int


class Addresses(Protocol):
    """E-mail addresses of accounts, and the tokens that travel to them."""

    async def of_user(self, user: UserId, now_ms: int) -> tuple[str | None, str | None]:
        """Return the verified address of *user*, and one that waits to be verified."""
        ...

    async def holder(self, address: str) -> UserId | None:
        """Return whose verified address it is."""
        ...

    async def offer(self, user: UserId, purpose: Purpose, offer: Offer) -> None:
        """Store a token that travels by mail; older ones of the same purpose are void."""
        ...

    async def reset_for(self, token_sha256: bytes, now_ms: int) -> UserId | None:
        """Return whose password the token may reset."""
        ...

    async def verify(self, token_sha256: bytes, now_ms: int) -> bool:
        """Use the token up and make its address the account's; False if there is none.

        Raises ``Conflict`` where another account has the address.
        """
        ...

    async def remove(self, user: UserId) -> None:
        """Forget the address of *user*, and what is under way to it."""
        ...


class Mail(msgspec.Struct, frozen=True):
    """A message to one person, in plain text."""

    address: str
    subject: str
    text: str


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Hand *mail* over to whoever delivers it. Raises ``Unavailable``."""
        ...


class Errands(Protocol):
    """What is done after the answer, so that how long it takes tells nobody anything."""

    def add(self, errand: Callable[[], Awaitable[None]]) -> None:
        """Do *errand* soon; it is dropped and logged when too many wait. Nothing is raised."""
        ...


class Bots(Protocol):
    """The bots of all users."""

    async def add(
        self, bot: BotRecord, account: Account, name_key: str, token_sha256: bytes
    ) -> None:
        """Store a bot and its account. Raises ``Conflict`` if the name is taken."""
        ...

    async def of_owner(self, owner: UserId) -> list[BotRecord]:
        """Return the bots of *owner*, the oldest first."""
        ...

    async def with_token(self, token_sha256: bytes) -> BotRecord | None:
        """Return the bot that has this secret, unless it or its owner is disabled."""
        ...

    async def change_scopes(
        self, bot: BotRecord, login: LoginId, scopes: Sequence[BotScope]
    ) -> list[Ended]:
        """Let the next access tokens be good for *scopes*; the present ones end."""
        ...

    async def change_token(
        self, bot: BotRecord, login: LoginId, token_sha256: bytes
    ) -> list[Ended]:
        """Put a new secret in the place of the old one, whose access tokens end."""
        ...

    async def remove(self, bot: BotRecord, now_ms: int) -> list[Ended]:
        """Close the bot's account."""
        ...
