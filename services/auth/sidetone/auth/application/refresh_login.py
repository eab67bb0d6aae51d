"""Stay signed in: exchange a refresh token for the next one and a new access token."""

import secrets
from dataclasses import dataclass

from sidetone.auth.application.ports import Denials, Logins, SigningKeys
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.login import (
    SECRET_BYTES,
    Client,
    Login,
    RefreshToken,
    Standing,
    read_refresh_token,
)
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.refusals import Unauthenticated
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class RefreshLogin:
    """Rotate the refresh token of a login."""

    logins: Logins
    denials: Denials
    keys: SigningKeys
    throttle: Throttle
    clock: Clock

    async def __call__(self, refresh_token: str, client: Client) -> LoggedIn:
        """Return the next tokens of the login. Raises ``Unauthenticated``.

        A token works once. A second use, even one that lost a race by a hair, ends the login: the
        server cannot tell a thief from a client that repeats itself, so clients must not.
        """
        await self.throttle.take(client)
        now_ms = self.clock.now_ms()
        token = read_refresh_token(refresh_token)
        login = await self.logins.of_family(token) if token else None
        if token is None or login is None:
            raise _over()
        standing = login.standing(token, now_ms)
        following = RefreshToken(token.family, secrets.token_bytes(SECRET_BYTES))
        if standing is Standing.EXPIRED:
            await self._end(login)
            raise _over()
        if standing is Standing.REUSED or not await self.logins.rotate(token, following, now_ms):
            await self._end(login)
            raise Unauthenticated(
                "refresh_token_reused",
                "this refresh token was used before, so the login was ended; log in again",
            )
        access_token, expires_at_ms = self.keys.token_signer.sign(
            login.user, login.id, self.clock.new_id(), now_ms
        )
        return LoggedIn(login.user, login.name, access_token, following.text(), expires_at_ms)

    async def _end(self, login: Login) -> None:
        await self.denials.deny(await self.logins.end(login.user, login.id))


def _over() -> Unauthenticated:
    return Unauthenticated("refresh_token_invalid", "this login is over; log in again")
