"""Finish a login with a code of the authenticator app, or with a recovery code."""

from dataclasses import dataclass
from uuid import UUID

from sidetone.auth.application.admit import FIRST_FACTOR
from sidetone.auth.application.begin_login import BeginLogin
from sidetone.auth.application.check_code import CheckCode
from sidetone.auth.application.ports import Accounts
from sidetone.auth.application.proof_ports import Challenges
from sidetone.auth.application.throttle import Throttle
from sidetone.auth.domain.login import Client
from sidetone.protocol.accounts import LoggedIn
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Unauthenticated


@dataclass(frozen=True)
class LogInWithCode:
    """Begin the login that a right first factor asked for."""

    accounts: Accounts
    challenges: Challenges
    check_code: CheckCode
    begin_login: BeginLogin
    throttle: Throttle

    async def __call__(self, challenge: str, code: str, client: Client) -> LoggedIn:
        """Return the login. A challenge admits one; wrong codes are counted per account."""
        await self.throttle.take(client)
        found = await self.challenges.peek(FIRST_FACTOR, challenge)
        if found is None:
            raise over()
        user = UserId(UUID(bytes=found))
        if not await self.check_code(user, code):
            raise Unauthenticated(
                "code_wrong", "this code is wrong or was used; take the next one"
            )
        account = await self.accounts.get(user)
        if account is None or await self.challenges.take(FIRST_FACTOR, challenge) is None:
            raise over()
        return await self.begin_login(account, client)


def over() -> Unauthenticated:
    """Return the refusal of a login that was not finished in time."""
    return Unauthenticated("challenge_invalid", "this login took too long; begin it again")
