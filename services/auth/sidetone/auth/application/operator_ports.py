"""What an operator needs from the outside, beside what the owners of accounts need."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.auth.application.ports import Ended
from sidetone.protocol.ids import UserId


class AccountLine(msgspec.Struct, frozen=True):
    """An account as an operator sees it in a list; *last_seen_at_ms* is of its live logins."""

    id: UserId
    name: str
    display_name: str
    bot: bool
    disabled: bool
    created_at_ms: int
    logins: int
    last_seen_at_ms: int | None


class OperatedAccounts(Protocol):
    """Accounts from above: what their owners have no say in."""

    async def page(self, search: str, after: UserId | None, limit: int) -> Sequence[AccountLine]:
        """Return the accounts whose name contains *search*, the oldest first, from *after* on."""
        ...

    async def find(self, name_key: str, user: UserId | None) -> AccountLine | None:
        """Return the account of that name, or that id."""
        ...

    async def disable(self, user: UserId) -> list[Ended]:
        """Let nobody log in to it any more; end all logins, and those of its bots."""
        ...

    async def enable(self, user: UserId) -> None:
        """Let its owner log in again."""
        ...

    async def set_password(self, user: UserId, password_hash: str) -> list[Ended]:
        """Replace the password, and end all logins."""
        ...

    async def end_logins(self, user: UserId) -> list[Ended]:
        """End all logins."""
        ...


class ClosedAccounts(Protocol):
    """What is left of accounts that were closed: a name that nobody gets."""

    async def count(self, before_ms: int) -> int:
        """Return how many were closed before then."""
        ...

    async def forget(self, before_ms: int) -> int:
        """Forget those that were closed before then; return how many there were."""
        ...
