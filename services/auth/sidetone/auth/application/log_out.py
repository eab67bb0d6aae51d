"""End a login."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Denials, Logins
from sidetone.auth.domain.login import read_refresh_token


@dataclass(frozen=True)
class LogOut:
    """End the login that a refresh token belongs to."""

    logins: Logins
    denials: Denials

    async def __call__(self, refresh_token: str) -> None:
        """End the login; one that is over already, or never was, is no mistake."""
        token = read_refresh_token(refresh_token)
        login = await self.logins.of_family(token) if token else None
        if login is not None:
            await self.denials.deny(await self.logins.end(login.user, login.id))
