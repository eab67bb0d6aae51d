"""Sign an account in, once it has proved who it is."""

import secrets
from dataclasses import dataclass

from sidetone.auth.application.ports import Denials, Logins, SigningKeys
from sidetone.auth.domain.account import Account
from sidetone.auth.domain.login import SECRET_BYTES, Client, Login, RefreshToken
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.ids import LoginId
from sidetone.runtime.clock import Clock


@dataclass(frozen=True)
class BeginLogin:
    """Begin a login with a new family of refresh tokens."""

    logins: Logins
    denials: Denials
    keys: SigningKeys
    clock: Clock

    async def __call__(self, account: Account, client: Client) -> LoggedIn:
        """Return the first tokens; the login is stored before they are handed out."""
        now_ms = self.clock.now_ms()
        token = RefreshToken(
            secrets.token_bytes(SECRET_BYTES),
            secrets.token_bytes(SECRET_BYTES),
        )
        login = Login(
            LoginId(self.clock.new_id()),
            account.id,
            account.name,
            token.secret_sha256,
            created_at_ms=now_ms,
            used_at_ms=now_ms,
            client=client.shown_name(),
            address=client.network(),
        )
        await self.denials.deny(await self.logins.add(login, token))
        access_token, expires_at_ms = self.keys.token_signer.sign(
            account.id, login.id, self.clock.new_id(), now_ms
        )
        return LoggedIn(account.id, account.name, access_token, token.text(), expires_at_ms)
