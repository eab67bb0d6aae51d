"""Sign in with a name and a password."""

from dataclasses import dataclass

from sidetone.auth.application.admit import Admit
from sidetone.auth.application.ports import Accounts
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.account import Account, name_key, name_of
from sidetone.auth.domain.login import Client
from sidetone.credentials.passwords import Passwords
from sidetone.protocol.accounts import LoginStep
from sidetone.protocol.refusals import Invalid, Unauthenticated
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True)
class LogIn:
    """Sign in with a name and a password."""

    accounts: Accounts
    passwords: Passwords
    admit: Admit
    throttle: Throttle
    per_account: Limiter
    per_account_and_address: Limiter

    async def __call__(self, name: str, password: str, client: Client) -> LoginStep:
        """Return a new login, or what the second factor is asked with.

        An unknown name, an impossible name, an account without a password and a wrong password
        get the same answer after the same work: nobody learns here who has an account.
        """
        await self.throttle.take(client)
        account = await self._account(name, client)
        encoded = account.password_hash if account else None
        verdict = await self.passwords.verify(encoded or None, password)
        if account is None or not verdict.matches:
            raise Unauthenticated(
                "credentials_wrong", "the name or the password is wrong; check both"
            )
        if verdict.outdated:
            renewed = await self.passwords.hash(password)
            await self.accounts.renew_password_hash(account.id, account.password_hash, renewed)
        return await self.admit(account, client)

    async def _account(self, name: str, client: Client) -> Account | None:
        try:
            key = name_key(name_of(name))
        except Invalid:
            return None
        await self.per_account_and_address.take(f"{key} {client.address}")
        await self.per_account.take(key)
        return await self.accounts.named(key)
