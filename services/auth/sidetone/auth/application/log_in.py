"""Sign in with a name and a password."""

from dataclasses import dataclass

from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.ports import Accounts
from sidetone.auth.domain.account import Account, name_key, name_of
from sidetone.credentials.limits import Limiter
from sidetone.credentials.passwords import Passwords
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.refusals import Invalid, Unauthenticated
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class LogIn:
    """Sign in with a name and a password."""

    accounts: Accounts
    passwords: Passwords
    begin_login: BeginLogin
    per_account: Limiter
    per_address: Limiter
    clock: Clock

    async def __call__(self, name: str, password: str, address: str) -> LoggedIn:
        """Return a new login.

        An unknown name, an impossible name and a wrong password get the same answer after the
        same work: nobody learns here who has an account.
        """
        now_ms = self.clock.now_ms()
        self.per_address.take(address, now_ms)
        account = await self._account(name, now_ms)
        encoded = account.password_hash if account else None
        verdict = await self.passwords.verify(encoded, password)
        if account is None or not verdict.matches:
            raise Unauthenticated(
                "credentials_wrong", "the name or the password is wrong; check both"
            )
        if verdict.outdated:
            renewed = await self.passwords.hash(password)
            await self.accounts.change_password_hash(account.id, account.password_hash, renewed)
        return await self.begin_login(account)

    async def _account(self, name: str, now_ms: int) -> Account | None:
        try:
            key = name_key(name_of(name))
        except Invalid:
            return None
        self.per_account.take(key, now_ms)
        return await self.accounts.named(key)
