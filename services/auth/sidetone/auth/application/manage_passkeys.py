"""Keep the passkeys of an account."""

import secrets
from dataclasses import dataclass
from typing import Any

from sidetone.auth.application.proof_ports import (
    Ceremonies,
    Challenges,
    Credential,
    Passkeys,
)
from sidetone.auth.application.prove_identity import ProveIdentity
from sidetone.auth.application.tell_owner import TellOwner
from sidetone.auth.domain.passkey import PASSKEYS_PER_ACCOUNT_MAX, passkey_name_of
from sidetone.auth.domain.secret import SECRET_BYTES
from sidetone.protocol.accounts import Passkey, PasskeyOptions, Proof
from sidetone.protocol.ids import LoginId, PasskeyId, UserId
from sidetone.protocol.refusals import Invalid, NotFound
from sidetone.runtime.clock import Clock

CEREMONY_LIFETIME_MS = 5 * 60_000

_NEW = "passkey_new"


@dataclass(frozen=True)
class ManagePasskeys:
    """Add, list, name and remove passkeys."""

    passkeys: Passkeys
    ceremonies: Ceremonies
    challenges: Challenges
    prove_identity: ProveIdentity
    tell_owner: TellOwner
    clock: Clock

    async def begin(self, user: UserId, login: LoginId, proof: Proof) -> PasskeyOptions:
        """Return what the authenticator is asked with. Raises ``Forbidden`` without proof."""
        account = await self.prove_identity(user, login, proof)
        known = await self.passkeys.credentials(user)
        if len(known) >= PASSKEYS_PER_ACCOUNT_MAX:
            raise Invalid(
                "passkeys_too_many", f"an account has at most {PASSKEYS_PER_ACCOUNT_MAX} passkeys"
            )
        challenge = secrets.token_bytes(SECRET_BYTES)
        request = await self.challenges.put(_NEW, user.bytes + challenge, CEREMONY_LIFETIME_MS)
        options = self.ceremonies.ask_for_new(account, challenge, known)
        return PasskeyOptions(request, options, self.clock.now_ms() + CEREMONY_LIFETIME_MS)

    async def add(self, user: UserId, request: str, name: str, answer: dict[str, Any]) -> Passkey:
        """Store what the authenticator made. Raises ``NotFound``, ``Invalid`` or ``Conflict``."""
        name = passkey_name_of(name)
        asked = await self.challenges.take(_NEW, request)
        if asked is None or asked[:16] != user.bytes:
            raise NotFound("request_unknown", "this took too long; begin again")
        made = self.ceremonies.check_new(answer, asked[16:])
        credential = Credential(
            PasskeyId(self.clock.new_id()), user, made.credential, made.public_key, made.uses
        )
        now_ms = self.clock.now_ms()
        await self.passkeys.add(credential, name, now_ms)
        return Passkey(credential.id, name, now_ms)

    async def list(self, user: UserId) -> list[Passkey]:
        """Return the passkeys of *user*, the oldest first."""
        return await self.passkeys.of_user(user)

    async def rename(self, user: UserId, passkey: PasskeyId, name: str) -> None:
        """Name a passkey. Raises ``NotFound``."""
        if not await self.passkeys.rename(user, passkey, passkey_name_of(name)):
            raise _unknown()

    async def remove(self, user: UserId, login: LoginId, proof: Proof, passkey: PasskeyId) -> None:
        """Forget a passkey. Raises ``NotFound``, or ``Forbidden`` without proof."""
        account = await self.prove_identity(user, login, proof)
        if not await self.passkeys.remove(user, passkey):
            raise _unknown()
        self.tell_owner(account, "One of its passkeys was removed.")


def _unknown() -> NotFound:
    return NotFound("passkey_unknown", "you have no such passkey; list them again")
