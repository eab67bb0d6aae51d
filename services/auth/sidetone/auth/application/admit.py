"""Let somebody in whose first factor was right: at once, or to the second factor."""

from dataclasses import dataclass

from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.proof_ports import Challenges, Passkeys, SecondFactors
from sidetone.auth.domain.account import Account
from sidetone.auth.domain.login import Client
from sidetone.protocol.accounts import LoginStep, SecondFactor, SecondFactorRequired
from sidetone.runtime.clock import Clock

# The kind of challenge that stands for a right first factor; its value is the user's id.
FIRST_FACTOR = "first_factor"
SECOND_FACTOR_LIFETIME_MS = 5 * 60_000


@dataclass(frozen=True)
class Admit:
    """Begin a login, or ask for the second factor first."""

    second_factors: SecondFactors
    passkeys: Passkeys
    challenges: Challenges
    begin_login: BeginLogin
    clock: Clock

    async def __call__(self, account: Account, client: Client) -> LoginStep:
        """Return the login, or what is still needed for it."""
        totp = await self.second_factors.totp(account.id)
        if totp is None or not totp.confirmed:
            return await self.begin_login(account, client)
        methods: list[SecondFactor] = ["code"]
        if await self.passkeys.credentials(account.id):
            methods.append("passkey")
        expires_at_ms = self.clock.now_ms() + SECOND_FACTOR_LIFETIME_MS
        challenge = await self.challenges.put(
            FIRST_FACTOR, account.id.bytes, SECOND_FACTOR_LIFETIME_MS
        )
        return SecondFactorRequired(challenge, methods, expires_at_ms)
