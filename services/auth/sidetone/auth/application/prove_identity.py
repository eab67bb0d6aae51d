"""Make sure that it is really the account's owner who asks, before something that matters."""

from dataclasses import dataclass

from sidetone.auth.application.check_code import CheckCode
from sidetone.auth.application.ports import Accounts, Logins
from sidetone.auth.application.proof_ports import SecondFactors
from sidetone.auth.domain.account import Account
from sidetone.credentials.passwords import Passwords
from sidetone.protocol.accounts import Proof
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Forbidden
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter

FRESH_MS = 10 * 60_000


@dataclass(frozen=True)
class ProveIdentity:
    """Check the password, and a code where the account has a second factor.

    Who stole a token, or sits at an unlocked computer, has neither.
    """

    accounts: Accounts
    logins: Logins
    passwords: Passwords
    second_factors: SecondFactors
    check_code: CheckCode
    per_account: Limiter
    clock: Clock

    async def __call__(self, user: UserId, login: LoginId, proof: Proof) -> Account:
        """Return the account. Raises ``Forbidden``, or ``RateLimited``."""
        await self.per_account.take(str(user))
        account = await self.accounts.get(user)
        if account is None:
            raise Forbidden("proof_wrong", "there is no such account any more")
        if account.password_hash:
            verdict = await self.passwords.verify(account.password_hash, proof.password)
            if not verdict.matches:
                raise Forbidden("proof_wrong", "this is not your password; try it again")
        else:
            await self._require_fresh(user, login)
        totp = await self.second_factors.totp(user)
        if totp is not None and totp.confirmed and not await self.check_code(user, proof.code):
            raise Forbidden(
                "code_wrong", "send a code of your authenticator app that was not used yet"
            )
        return account

    async def _require_fresh(self, user: UserId, login: LoginId) -> None:
        """Where there is no password, to have just logged in is the proof."""
        since_ms = self.clock.now_ms() - FRESH_MS
        for one in await self.logins.of_user(user):
            if one.id == login and one.created_at_ms >= since_ms:
                return
        raise Forbidden(
            "login_too_old", "log out, log in again, and repeat this within 10 minutes"
        )
