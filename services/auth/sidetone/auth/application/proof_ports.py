"""What the use cases need from the outside for people to prove who they are."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from sidetone.auth.domain.account import Account
from sidetone.protocol.accounts import Identity, Passkey, Provider
from sidetone.protocol.ids import PasskeyId, UserId


class Totp(msgspec.Struct, frozen=True):
    """The secret of an authenticator app; *confirmed*: the account has a second factor."""

    secret: bytes
    confirmed: bool
    last_step: int


class SecondFactors(Protocol):
    """Authenticator apps and recovery codes."""

    async def totp(self, user: UserId) -> Totp | None:
        """Return the secret of *user*, confirmed or not."""
        ...

    async def begin(self, user: UserId, secret: bytes) -> bool:
        """Store a secret that is to be confirmed; False where one is confirmed already."""
        ...

    async def confirm(
        self, user: UserId, secret: bytes, step: int, codes_sha256: Sequence[bytes]
    ) -> bool:
        """Make *secret* the second factor, with its recovery codes; False if it is not begun."""
        ...

    async def accept_step(self, user: UserId, step: int) -> bool:
        """Use the code of *step* up, atomically; False if it or a later one was used."""
        ...

    async def use_recovery_code(self, user: UserId, code_sha256: bytes) -> bool:
        """Use a recovery code up, atomically; False if there is no such one."""
        ...

    async def replace_recovery_codes(self, user: UserId, codes_sha256: Sequence[bytes]) -> None:
        """Put new recovery codes in the place of all old ones."""
        ...

    async def recovery_codes_left(self, user: UserId) -> int:
        """Return how many recovery codes are not used."""
        ...

    async def remove(self, user: UserId) -> None:
        """Forget the secret and the recovery codes of *user*."""
        ...


class Credential(msgspec.Struct, frozen=True):
    """A passkey as the server knows it; *uses* is the authenticator's own counter."""

    id: PasskeyId
    user: UserId
    credential: bytes
    public_key: bytes
    uses: int


class Passkeys(Protocol):
    """The passkeys of all users."""

    async def add(self, credential: Credential, name: str, now_ms: int) -> None:
        """Store a passkey. Raises ``Conflict`` where it is known already."""
        ...

    async def of_user(self, user: UserId) -> list[Passkey]:
        """Return what *user* may see of theirs, the oldest first."""
        ...

    async def credentials(self, user: UserId) -> list[bytes]:
        """Return the credential ids of *user*, by which authenticators know them."""
        ...

    async def find(self, credential: bytes) -> Credential | None:
        """Return the passkey with that credential id."""
        ...

    async def used(self, before: Credential, uses: int, now_ms: int) -> bool:
        """Note a use; False if another use was faster and the counter is no longer *before*'s."""
        ...

    async def rename(self, user: UserId, passkey: PasskeyId, name: str) -> bool:
        """Name a passkey of *user*; False if there is none."""
        ...

    async def remove(self, user: UserId, passkey: PasskeyId) -> bool:
        """Forget a passkey of *user*; False if there is none."""
        ...


class Registered(msgspec.Struct, frozen=True):
    """What an authenticator made: the credential's id, its public key (COSE), its counter."""

    credential: bytes
    public_key: bytes
    uses: int


class Ceremonies(Protocol):
    """WebAuthn between this server and an authenticator (W3C Web Authentication, Level 3)."""

    def ask_for_new(
        self, user: Account, challenge: bytes, known: Sequence[bytes]
    ) -> dict[str, Any]:
        """Return the options to make a discoverable credential that is not one of *known*."""
        ...

    def check_new(self, answer: dict[str, Any], challenge: bytes) -> Registered:
        """Return what was made. Raises ``Invalid``."""
        ...

    def ask_for_use(self, challenge: bytes, allowed: Sequence[bytes]) -> dict[str, Any]:
        """Return the options to use one of *allowed*; none: any, if it verifies its user."""
        ...

    def credential_of(self, answer: dict[str, Any]) -> bytes | None:
        """Return which credential an answer claims to be of, before it is believed."""
        ...

    def check_use(
        self, answer: dict[str, Any], challenge: bytes, known: Credential, *, verified: bool
    ) -> int:
        """Return the counter after the use. *verified*: by PIN or finger, not presence alone.

        Raises ``Unauthenticated``.
        """
        ...


class Challenges(Protocol):
    """What was asked and is not answered yet. Each is known by a secret and gone after a while."""

    async def put(self, kind: str, value: bytes, lifetime_ms: int) -> str:
        """Keep *value* and return the new secret that it is found by."""
        ...

    async def peek(self, kind: str, secret: str) -> bytes | None:
        """Return the value and keep it."""
        ...

    async def take(self, kind: str, secret: str) -> bytes | None:
        """Return the value and forget it: of several takers at once one gets it."""
        ...


class Identities(Protocol):
    """Who is known to a provider as whom."""

    async def find(self, provider: str, subject: str) -> UserId | None:
        """Return whose account the provider's *subject* is."""
        ...

    async def add(self, user: UserId, provider: str, subject: str, now_ms: int) -> None:
        """Link them. Raises ``Conflict`` where either is linked already."""
        ...

    async def add_with_account(
        self, account: Account, name_key: str, provider: str, subject: str
    ) -> None:
        """Store a new account that is linked. Raises ``Conflict``: name or identity is taken."""
        ...

    async def of_user(self, user: UserId) -> list[Identity]:
        """Return what *user* is linked to."""
        ...

    async def remove(self, user: UserId, provider: str) -> bool:
        """Unlink; False if there was no link."""
        ...


class Asked(msgspec.Struct, frozen=True):
    """What one authorization request is bound to (RFC 6749, RFC 7636, OpenID Connect Core)."""

    redirect_uri: str
    state: str
    nonce: str
    verifier: str


class Person(msgspec.Struct, frozen=True):
    """Who somebody is to a provider; *suggestion* is what it calls them, or empty."""

    subject: str
    suggestion: str


class Providers(Protocol):
    """OpenID providers that the operator trusts."""

    @property
    def listed(self) -> list[Provider]:
        """Return what clients may offer."""
        ...

    def require_redirect(self, provider: str, redirect_uri: str) -> None:
        """Raise ``NotFound`` or ``Invalid`` unless the browser may come back there."""
        ...

    async def authorize_url(self, provider: str, asked: Asked) -> str:
        """Return where to send the browser. Raises ``Unavailable``."""
        ...

    async def redeem(self, provider: str, asked: Asked, code: str, iss: str) -> Person:
        """Exchange the code. Raises ``Unauthenticated``, or ``Unavailable``."""
        ...
