"""Tell who people are, mostly from memory: every list of members and messages asks for it."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sidetone.auth.application.ports import Accounts
from sidetone.auth.domain.account import name_key, name_of
from sidetone.protocol.accounts import User
from sidetone.protocol.events import AccountClosed, Fact, UserChanged
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import MANY_MAX
from sidetone.protocol.refusals import Invalid, NotFound

USERS_HELD_MAX = 50_000


@dataclass
class FindUsers:
    """Find users by id or by name; what is held follows the journal.

    Nothing is held before ``begin_holding``: what nobody keeps up to date must not be kept.
    """

    accounts: Accounts
    _held: OrderedDict[UserId, User] = field(default_factory=OrderedDict[UserId, User])
    # How many facts changed what is held: a read that one overtook is not kept.
    _heard: int = 0
    _holding: bool = False

    def begin_holding(self) -> None:
        """Hold what is read from now on: changes are heard."""
        self._holding = True

    async def __call__(self, user: UserId) -> User:
        """Return what everybody may know of *user*. Raises ``NotFound``."""
        found = await self.many([user])
        if not found:
            raise NotFound("user_unknown", "there is no such user")
        return found[0]

    async def many(self, users: Sequence[UserId]) -> list[User]:
        """Return *users* that exist, in their order and once each. Raises ``Invalid``."""
        wanted = dict.fromkeys(users)
        if len(wanted) > MANY_MAX:
            raise Invalid("users_too_many", f"ask for at most {MANY_MAX} users at a time")
        missing = [user for user in wanted if user not in self._held]
        fresh: dict[UserId, User] = {}
        if missing:
            heard = self._heard
            fresh = {a.id: a.user() for a in await self.accounts.many(missing)}
            if self._holding and heard == self._heard:
                self._hold(fresh)
        return [one for user in wanted if (one := fresh.get(user) or self._held.get(user))]

    async def named(self, name: str) -> User:
        """Return who has exactly this name, capitals apart. Raises ``NotFound``."""
        try:
            account = await self.accounts.named(name_key(name_of(name)))
        except Invalid:
            account = None
        if account is None:
            raise NotFound("user_unknown", "there is nobody of that name; check its spelling")
        return account.user()

    async def hear(self, fact: Fact) -> None:
        """Keep up with what others changed."""
        if isinstance(fact.event, UserChanged):
            self._heard += 1
            user = fact.event.user
            if user.id in self._held:
                self._held[user.id] = user
        elif isinstance(fact.event, AccountClosed):
            self._heard += 1
            self._held.pop(fact.event.user, None)

    def _hold(self, users: dict[UserId, User]) -> None:
        self._held.update(users)
        while len(self._held) > USERS_HELD_MAX:
            self._held.popitem(last=False)
