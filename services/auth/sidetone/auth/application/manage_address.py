"""Give an account an e-mail address, by which a forgotten password can be reset."""

import secrets
from dataclasses import dataclass
from functools import partial

from sidetone.auth.application.ports import Addresses, Errands, Mail, Mailer, Offer
from sidetone.auth.application.prove_identity import ProveIdentity
from sidetone.auth.application.tell_owner import TellOwner
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.login import Client
from sidetone.auth.domain.mailbox import VERIFICATION_LIFETIME_MS, address_key, address_of
from sidetone.auth.domain.secret import SECRET_BYTES, secret_sha256, secret_text
from sidetone.protocol.accounts import Proof
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True)
class ManageAddress:
    """An address counts from when a token that was sent there comes back."""

    addresses: Addresses
    mailer: Mailer
    errands: Errands
    prove_identity: ProveIdentity
    tell_owner: TellOwner
    per_mailbox: Limiter
    clock: Clock

    async def change(self, user: UserId, login: LoginId, proof: Proof, address: str) -> None:
        """Send a token to the new address; the old one counts until it comes back.

        Whether another account has the address is told to who reads its mail, to nobody else.
        """
        address = address_of(address) if address else ""
        account = await self.prove_identity(user, login, proof)
        if not address:
            await self.addresses.remove(user)
            return
        await self.per_mailbox.take(address_key(address))
        token = secret_text(secrets.token_bytes(SECRET_BYTES))
        until_ms = self.clock.now_ms() + VERIFICATION_LIFETIME_MS
        await self.addresses.offer(user, "verify", Offer(secret_sha256(token), address, until_ms))
        text = (
            f"{account.name} has given this address as theirs. If that is you, enter this code:"
            f"\n\n{token}\n\nIt works once, and for one day. If it is not you, do nothing.\n"
        )
        mail = Mail(address, "Is this your address?", text)
        self.errands.add(partial(self.mailer.send, mail))
        self.tell_owner(account, "Somebody has begun to change its e-mail address.")


@dataclass(frozen=True)
class VerifyAddress:
    """Take the token that came by mail."""

    addresses: Addresses
    throttle: Throttle
    clock: Clock

    async def __call__(self, token: str, client: Client) -> None:
        """Make the address the account's. Raises ``NotFound``, or ``Conflict``."""
        await self.throttle.take(client)
        if not await self.addresses.verify(secret_sha256(token), self.clock.now_ms()):
            raise NotFound(
                "verification_unknown", "this code was used or is too old; ask for another one"
            )
