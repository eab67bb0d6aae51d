"""Set up an authenticator app as second factor, with recovery codes for who loses it."""

import secrets
from dataclasses import dataclass

from sidetone.auth.application.proof_ports import SecondFactors
from sidetone.auth.application.prove_identity import ProveIdentity
from sidetone.auth.application.tell_owner import TellOwner
from sidetone.auth.domain.second_factor import (
    RECOVERY_CODE_BYTES,
    RECOVERY_CODES,
    TOTP_SECRET_BYTES,
    accepted_step,
    app_uri,
    recovery_codes,
    recovery_sha256,
    secret_base32,
)
from sidetone.protocol.accounts import Proof, RecoveryCodes, TotpSecret
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Conflict, Invalid
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True)
class SetUpTotp:
    """A secret counts from when a code of it comes back; before, logins ask for none."""

    second_factors: SecondFactors
    prove_identity: ProveIdentity
    tell_owner: TellOwner
    per_account: Limiter
    issuer: str
    clock: Clock

    async def begin(self, user: UserId, login: LoginId, proof: Proof) -> TotpSecret:
        """Return a new secret for the app. Raises ``Conflict`` where there is one already."""
        account = await self.prove_identity(user, login, proof)
        secret = secrets.token_bytes(TOTP_SECRET_BYTES)
        if not await self.second_factors.begin(user, secret):
            raise Conflict("totp_present", "there is an authenticator app; remove it first")
        return TotpSecret(secret_base32(secret), app_uri(secret, account.name, self.issuer))

    async def confirm(self, user: UserId, code: str) -> RecoveryCodes:
        """Switch the second factor on; return the recovery codes, which are shown once."""
        await self.per_account.take(str(user))
        totp = await self.second_factors.totp(user)
        if totp is None or totp.confirmed:
            raise _not_begun()
        step = accepted_step(totp.secret, code, totp.last_step, self.clock.now_ms())
        if step is None:
            raise Invalid("code_wrong", "this is not the code of now; check the phone's clock")
        codes, hashes = _new_codes()
        if not await self.second_factors.confirm(user, totp.secret, step, hashes):
            raise _not_begun()
        return RecoveryCodes(codes)

    async def renew_codes(self, user: UserId, login: LoginId, proof: Proof) -> RecoveryCodes:
        """Return new recovery codes; the old ones are void."""
        account = await self.prove_identity(user, login, proof)
        totp = await self.second_factors.totp(user)
        if totp is None or not totp.confirmed:
            raise Conflict("totp_absent", "there is no authenticator app; set one up first")
        codes, hashes = _new_codes()
        await self.second_factors.replace_recovery_codes(user, hashes)
        self.tell_owner(account, "It has new recovery codes; the old ones are void.")
        return RecoveryCodes(codes)

    async def remove(self, user: UserId, login: LoginId, proof: Proof) -> None:
        """Switch the second factor off; nothing to remove is no mistake."""
        account = await self.prove_identity(user, login, proof)
        await self.second_factors.remove(user)
        self.tell_owner(account, "Its authenticator app was removed: a password is enough now.")


def _new_codes() -> tuple[list[str], list[bytes]]:
    codes = list(recovery_codes(secrets.token_bytes(RECOVERY_CODES * RECOVERY_CODE_BYTES)))
    hashes = [sha256 for code in codes if (sha256 := recovery_sha256(code)) is not None]
    return codes, hashes


def _not_begun() -> Conflict:
    return Conflict("totp_not_begun", "there is no authenticator app to confirm; begin again")
