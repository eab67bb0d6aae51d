"""Make an account."""

from dataclasses import dataclass

from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.ports import Accounts
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.account import Account, name_key, name_of
from sidetone.auth.domain.login import Client
from sidetone.credentials.passwords import Passwords, require_good
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.ids import UserId
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class Register:
    """Make an account and sign it in."""

    accounts: Accounts
    passwords: Passwords
    begin_login: BeginLogin
    throttle: Throttle
    clock: Clock

    async def __call__(self, name: str, password: str, client: Client) -> LoggedIn:
        """Return the new account's first login.

        The cheap rules come before the hash, so that a flood of bad requests costs little. That a
        name is taken has to be told; the rate limit keeps this from being a directory.
        """
        await self.throttle.take(client)
        name = name_of(name)
        require_good(password, name)
        account = Account(
            UserId(self.clock.new_id()),
            name,
            await self.passwords.hash(password),
            created_at_ms=self.clock.now_ms(),
        )
        await self.accounts.add(account, name_key(name))
        return await self.begin_login(account, client)
