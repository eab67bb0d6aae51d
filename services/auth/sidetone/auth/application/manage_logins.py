"""See where one is signed in, and end what should not be."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Denials, Logins
from sidetone.auth.domain.login import Login, is_alive
from sidetone.protocol.accounts import LoginInfo
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class ManageLogins:
    """List and end the logins of a user."""

    logins: Logins
    denials: Denials
    clock: Clock

    async def list(self, user: UserId, current: LoginId) -> list[LoginInfo]:
        """Return the live logins of *user*, the one used last first."""
        now_ms = self.clock.now_ms()
        logins = await self.logins.of_user(user)
        return [_info(login, current) for login in logins if is_alive(login, now_ms)]

    async def end(self, user: UserId, login: LoginId) -> None:
        """End one login of *user*. Raises ``NotFound``."""
        ended = await self.logins.end(user, login)
        if not ended:
            raise NotFound("login_unknown", "you have no such login; list them again")
        await self.denials.deny(ended)

    async def end_others(self, user: UserId, current: LoginId) -> None:
        """End all logins of *user* but the current one."""
        await self.denials.deny(await self.logins.end_others(user, current))


def _info(login: Login, current: LoginId) -> LoginInfo:
    return LoginInfo(
        login.id,
        login.client,
        login.address,
        login.created_at_ms,
        login.used_at_ms,
        login.id == current,
    )
