"""Get back in with a forgotten password, by a token that comes by mail."""

import secrets
from dataclasses import dataclass
from functools import partial

from sidetone.auth.application.ports import (
    Accounts,
    Addresses,
    Denials,
    Errands,
    Mail,
    Mailer,
    Offer,
)
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.login import Client
from sidetone.auth.domain.mailbox import RESET_LIFETIME_MS, address_key, address_of
from sidetone.auth.domain.secret import SECRET_BYTES, secret_sha256, secret_text
from sidetone.credentials.passwords import Passwords, require_good
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True)
class AskReset:
    """Send a token to an address, if an account has it."""

    addresses: Addresses
    mailer: Mailer
    errands: Errands
    throttle: Throttle
    per_mailbox: Limiter
    clock: Clock

    async def __call__(self, address: str, client: Client) -> None:
        """Return at once and alike, whether an account has *address* or not.

        The token is stored and sent after the answer, so that its time tells nothing.
        """
        await self.throttle.take(client)
        address = address_of(address)
        await self.per_mailbox.take(address_key(address))
        user = await self.addresses.holder(address)
        if user is not None:
            self.errands.add(partial(self._send, user, address))

    async def _send(self, user: UserId, address: str) -> None:
        token = secret_text(secrets.token_bytes(SECRET_BYTES))
        until_ms = self.clock.now_ms() + RESET_LIFETIME_MS
        await self.addresses.offer(user, "reset", Offer(secret_sha256(token), address, until_ms))
        text = (
            "Somebody, probably you, has asked for a new password.\n\n"
            f"Enter this code where you asked; it works once, and for one hour:\n\n{token}\n\n"
            "If it was not you, forget this mail: nothing has changed.\n"
        )
        await self.mailer.send(Mail(address, "A new password", text))


@dataclass(frozen=True)
class ResetPassword:
    """Choose a new password with the token of the mail."""

    accounts: Accounts
    addresses: Addresses
    passwords: Passwords
    denials: Denials
    throttle: Throttle
    clock: Clock

    async def __call__(self, token: str, new_password: str, client: Client) -> None:
        """Replace the password and end all logins; a second factor stays what it is.

        Raises ``NotFound`` for a token that is used, too old or invented. A bad password costs no
        token.
        """
        await self.throttle.take(client)
        token_sha256 = secret_sha256(token)
        user = await self.addresses.reset_for(token_sha256, self.clock.now_ms())
        account = await self.accounts.get(user) if user else None
        if account is None:
            raise _unknown()
        require_good(new_password, account.name)
        after = await self.passwords.hash(new_password)
        ended = await self.accounts.reset_password(account.id, token_sha256, after)
        if ended is None:
            raise _unknown()
        await self.denials.deny(ended)


def _unknown() -> NotFound:
    return NotFound("reset_unknown", "this code was used or is too old; ask for another one")
