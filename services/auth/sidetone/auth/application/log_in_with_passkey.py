"""Sign in with a passkey: alone and without a name, or as second factor."""

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sidetone.auth.application.admit import FIRST_FACTOR
from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.log_in_with_code import over
from sidetone.auth.application.manage_passkeys import CEREMONY_LIFETIME_MS
from sidetone.auth.application.ports import Accounts
from sidetone.auth.application.proof_ports import Ceremonies, Challenges, Credential, Passkeys
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.login import Client
from sidetone.auth.domain.secret import SECRET_BYTES
from sidetone.protocol.accounts import LoggedIn, PasskeyOptions
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Unauthenticated
from sidetone.runtime.clock import Clock

_USE = "passkey_use"


@dataclass(frozen=True)
class LogInWithPasskey:
    """A passkey that verified its user is two factors: it has them, and they know it."""

    accounts: Accounts
    passkeys: Passkeys
    ceremonies: Ceremonies
    challenges: Challenges
    begin_login: BeginLogin
    throttle: Throttle
    clock: Clock

    async def begin(self, first_factor: str, client: Client) -> PasskeyOptions:
        """Return what the authenticator is asked with; *first_factor* is empty for a login alone.

        A login alone names no credentials: nobody learns here who has one.
        """
        await self.throttle.take(client)
        allowed: list[bytes] = []
        if first_factor:
            user = await self.challenges.peek(FIRST_FACTOR, first_factor)
            allowed = await self.passkeys.credentials(UserId(UUID(bytes=user))) if user else []
            if not allowed:
                raise over()
        challenge = secrets.token_bytes(SECRET_BYTES)
        request = await self.challenges.put(
            _USE, challenge + first_factor.encode(), CEREMONY_LIFETIME_MS
        )
        options = self.ceremonies.ask_for_use(challenge, allowed)
        return PasskeyOptions(request, options, self.clock.now_ms() + CEREMONY_LIFETIME_MS)

    async def finish(self, request: str, answer: dict[str, Any], client: Client) -> LoggedIn:
        """Return the login. Every request is answered once, rightly or wrongly."""
        await self.throttle.take(client)
        asked = await self.challenges.take(_USE, request)
        if asked is None:
            raise over()
        challenge, first_factor = asked[:SECRET_BYTES], asked[SECRET_BYTES:].decode()
        known = await self._known(answer)
        uses = self.ceremonies.check_use(answer, challenge, known, verified=not first_factor)
        if first_factor:
            user = await self.challenges.take(FIRST_FACTOR, first_factor)
            if user != known.user.bytes:
                raise over()
        if not await self.passkeys.used(known, uses, self.clock.now_ms()):
            raise _wrong()
        account = await self.accounts.get(known.user)
        if account is None:
            raise _wrong()
        return await self.begin_login(account, client)

    async def _known(self, answer: dict[str, Any]) -> Credential:
        credential = self.ceremonies.credential_of(answer)
        known = await self.passkeys.find(credential) if credential else None
        if known is None:
            raise _wrong()
        return known


def _wrong() -> Unauthenticated:
    return Unauthenticated("passkey_wrong", "this passkey is not known here; use another way in")
