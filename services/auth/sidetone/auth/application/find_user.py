"""Tell who somebody is."""

from dataclasses import dataclass

from sidetone.auth.application.ports import Accounts
from sidetone.protocol.accounts import User
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import NotFound


@dataclass(frozen=True)
class FindUser:
    """Find a user by id."""

    accounts: Accounts

    async def __call__(self, user: UserId) -> User:
        """Return what everybody may know of *user*. Raises ``NotFound``."""
        account = await self.accounts.get(user)
        if account is None:
            raise NotFound("user_unknown", "there is no such user")
        return User(account.id, account.name)
