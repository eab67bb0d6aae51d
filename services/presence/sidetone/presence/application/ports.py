"""What the use cases need from the outside, in their own words."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from sidetone.presence.domain.pair import Pair
from sidetone.presence.domain.status import Wish
from sidetone.protocol.ids import SessionId, UserId
from sidetone.protocol.questions import Contact
from sidetone.protocol.social import Presence, Relationship, RelationshipKind


class Relations(Protocol):
    """What users are to each other; a change is announced to both with its storing."""

    async def between(self, me: UserId, other: UserId) -> Pair:
        """Return what stands between the two."""
        ...

    async def change(
        self, me: UserId, other: UserId, before: Pair, after: Pair, now_ms: int
    ) -> bool:
        """Store *after* and tell both; False, and nothing is done, if it was not *before*."""
        ...

    async def one(self, me: UserId, other: UserId) -> Relationship | None:
        """Return what *other* is to *me*."""
        ...

    async def of(self, user: UserId, after: UserId | None, limit: int) -> list[Relationship]:
        """Return what others are to *user*, sorted by their ids, those *after* one."""
        ...

    async def count(self, user: UserId, kind: RelationshipKind) -> int:
        """Return how many of a kind *user* has."""
        ...

    async def friends(self, user: UserId) -> list[UserId]:
        """Return the friends of *user*."""
        ...

    async def contacts(self, user: UserId, others: Sequence[UserId]) -> dict[UserId, Contact]:
        """Return what stands between *user* and each of *others*."""
        ...

    async def forget(self, user: UserId) -> None:
        """End all that *user* has with others, and tell those."""
        ...


class Wishes(Protocol):
    """How users want to be seen, and when they were seen last."""

    async def of(self, user: UserId) -> tuple[Wish, int | None]:
        """Return the wish of *user*, and when they were seen last."""
        ...

    async def put(self, user: UserId, wish: Wish) -> None:
        """Store *wish*."""
        ...

    async def seen(self, user: UserId, last_seen_ms: int) -> None:
        """Store when *user* was seen last."""
        ...

    async def forget(self, user: UserId) -> None:
        """Forget all about *user*."""
        ...


class Shown(msgspec.Struct, frozen=True):
    """How a user is shown to others, and what tells this version from any other."""

    presence: Presence
    version: bytes


class Sessions(Protocol):
    """Who is there, and how they are shown: shared by all replicas, and forgotten by itself."""

    async def renew(self, user: UserId, session: SessionId, lifetime_ms: int) -> None:
        """Count *session* for the time to come."""
        ...

    async def end(self, user: UserId, session: SessionId) -> None:
        """Count *session* no more."""
        ...

    async def there(self, user: UserId) -> bool:
        """Return whether *user* has a session that counts."""
        ...

    async def shown(self, user: UserId) -> Shown | None:
        """Return how *user* is shown now; None: nothing is known, and that is offline."""
        ...

    async def show(self, before: Shown | None, presence: Presence) -> bool:
        """Show *presence* from now on; False if another one was faster than *before*."""
        ...

    async def keep(self, shown: Shown) -> None:
        """Go on showing what is shown."""
        ...

    async def shown_of(self, users: Sequence[UserId]) -> list[Presence]:
        """Return how those of *users* are shown who are not offline."""
        ...

    async def everybody(self) -> Sequence[UserId]:
        """Return all who were there lately."""
        ...
