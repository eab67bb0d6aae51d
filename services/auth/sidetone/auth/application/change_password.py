"""Change a password that is known."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Accounts, Denials
from sidetone.auth.application.prove_identity import ProveIdentity
from sidetone.auth.application.tell_owner import TellOwner
from sidetone.credentials.passwords import Passwords, require_good
from sidetone.protocol.accounts import Proof
from sidetone.protocol.ids import LoginId, UserId
from sidetone.protocol.refusals import Conflict


@dataclass(frozen=True)
class ChangePassword:
    """Replace the password, and end every login but the one that asks."""

    accounts: Accounts
    passwords: Passwords
    prove_identity: ProveIdentity
    denials: Denials
    tell_owner: TellOwner

    async def __call__(
        self, user: UserId, login: LoginId, proof: Proof, new_password: str
    ) -> None:
        """Change it. Raises ``Forbidden`` without proof, ``Invalid`` where it is a bad one."""
        account = await self.prove_identity(user, login, proof)
        require_good(new_password, account.name)
        ended = await self.accounts.change_password(
            user, account.password_hash, await self.passwords.hash(new_password), login
        )
        if ended is None:
            raise Conflict("password_changed", "the password was changed meanwhile; log in again")
        await self.denials.deny(ended)
        self.tell_owner(account, "Its password was changed.")
