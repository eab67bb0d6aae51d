"""Judge a code of an authenticator app, or a recovery code, and use it up."""

from dataclasses import dataclass

from sidetone.auth.application.proof_ports import SecondFactors
from sidetone.auth.domain.second_factor import accepted_step, recovery_sha256
from sidetone.protocol.ids import UserId
from sidetone.runtime.clock import Clock
from sidetone.runtime.limits import Limiter


@dataclass(frozen=True)
class CheckCode:
    """Accept each code once; attempts are counted per account, from wherever they come."""

    second_factors: SecondFactors
    per_account: Limiter
    clock: Clock

    async def __call__(self, user: UserId, code: str) -> bool:
        """Tell whether *code* is right. Raises ``RateLimited``."""
        await self.per_account.take(str(user))
        recovery = recovery_sha256(code)
        if recovery is not None:
            return await self.second_factors.use_recovery_code(user, recovery)
        totp = await self.second_factors.totp(user)
        if totp is None or not totp.confirmed:
            return False
        step = accepted_step(totp.secret, code, totp.last_step, self.clock.now_ms())
        return step is not None and await self.second_factors.accept_step(user, step)
