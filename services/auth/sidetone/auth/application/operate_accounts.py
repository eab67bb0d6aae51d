"""Look after accounts from above: what the operator of a server does, without their owners."""

import contextlib
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from uuid import UUID

from sidetone.auth.application.operator_ports import AccountLine, OperatedAccounts
from sidetone.auth.application.ports import Accounts
from sidetone.auth.application.proof_ports import SecondFactors
from sidetone.auth.domain.account import Account, name_key, name_of
from sidetone.credentials.passwords import Passwords, require_good
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid, NotFound
from sidetone.runtime.clock import Clock

_AT_ONCE = 200
_PASSWORD_BYTES = 15


@dataclass(frozen=True)
class OperateAccounts:
    """Stores and announces; services that run hear of it, and close sockets and calls."""

    operated: OperatedAccounts
    accounts: Accounts
    second_factors: SecondFactors
    passwords: Passwords
    clock: Clock

    async def list(self, search: str) -> AsyncGenerator[AccountLine, None]:
        """Yield the accounts whose name contains *search*, the oldest first."""
        key, after = name_key(search), None
        while page := await self.operated.page(key, after, _AT_ONCE):
            for line in page:
                yield line
            after = page[-1].id

    async def find(self, who: str) -> AccountLine:
        """Return the account with the name or id *who*. Raises ``NotFound``."""
        user = None
        with contextlib.suppress(ValueError):
            user = UserId(UUID(who))
        line = await self.operated.find(name_key(who), user)
        if line is None:
            raise NotFound("user_unknown", f"there is no account {who!r}: list them to see")
        return line

    async def create(self, name: str, password: str | None) -> tuple[AccountLine, str]:
        """Make an account; without a password it gets one. Return both. Raises ``Refusal``."""
        name = name_of(name)
        password = self._checked(password, name)
        account = Account(
            UserId(self.clock.new_id()),
            name,
            await self.passwords.hash(password),
            created_at_ms=self.clock.now_ms(),
        )
        await self.accounts.add(account, name_key(name))
        return await self.find(str(account.id)), password

    async def disable(self, who: str) -> AccountLine:
        """Lock *who* out, now and until they are enabled. Raises ``NotFound``."""
        line = await self.find(who)
        await self.operated.disable(line.id)
        return line

    async def enable(self, who: str) -> AccountLine:
        """Let *who* log in again. Raises ``NotFound``."""
        line = await self.find(who)
        await self.operated.enable(line.id)
        return line

    async def delete(self, who: str) -> AccountLine:
        """Close the account as its owner can. Raises ``NotFound``."""
        line = await self.find(who)
        await self.accounts.close(line.id, self.clock.now_ms())
        return line

    async def reset_password(
        self, who: str, password: str | None, *, drop_second_factor: bool
    ) -> tuple[AccountLine, str]:
        """Give *who* another password, end their logins; return it. Raises ``Refusal``."""
        line = await self.find(who)
        if line.bot:
            raise Invalid("bot_without_password", "a bot has a token and no password")
        password = self._checked(password, line.name)
        if drop_second_factor:
            await self.second_factors.remove(line.id)
        await self.operated.set_password(line.id, await self.passwords.hash(password))
        return line, password

    async def log_out(self, who: str) -> tuple[AccountLine, int]:
        """End all logins of *who*; return how many there were. Raises ``NotFound``."""
        line = await self.find(who)
        return line, len(await self.operated.end_logins(line.id))

    def _checked(self, password: str | None, name: str) -> str:
        if password is None:
            return secrets.token_urlsafe(_PASSWORD_BYTES)
        require_good(password, name)
        return password
