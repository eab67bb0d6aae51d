"""Relationships in a relational database: one row for each side of a pair."""

from collections.abc import Sequence

import msgspec

from sidetone.presence.domain.pair import Pair
from sidetone.protocol.events import RelationshipChanged, RelationshipEnded, ToUsers
from sidetone.protocol.ids import UserId
from sidetone.protocol.questions import Contact
from sidetone.protocol.refusals import Conflict
from sidetone.protocol.social import Relationship, RelationshipKind
from sidetone.runtime.outbox import Outbox, Rows
from sidetone.storage import Database

_FIRST = UserId(msgspec.convert("00000000-0000-0000-0000-000000000000", UserId))
# How many relationships of a closed account are ended in one transaction.
_FORGOTTEN_AT_ONCE = 200
_FRIENDS_MAX = 2_000

_Side = tuple[UserId, UserId, RelationshipKind | None, RelationshipKind | None]


class _RacedError(Exception):
    """The pair was not what it was thought to be: nothing is to be stored."""


class SqlRelations:
    """Both sides change in one transaction, on the condition that they are as they were read.

    The two rows are written in the order of their owners, so that two who act at once wait for
    each other and do not lock each other out.
    """

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def between(self, me: UserId, other: UserId) -> Pair:
        """Return what stands between the two."""
        rows = await self._database.fetch(
            """
            SELECT owner, kind FROM relationships
            WHERE (owner = :me AND other = :other) OR (owner = :other AND other = :me) LIMIT 2
            """,
            {"me": me, "other": other},
        )
        sides = dict(msgspec.convert(rows, list[tuple[UserId, RelationshipKind]]))
        return Pair(sides.get(me), sides.get(other))

    async def change(
        self, me: UserId, other: UserId, before: Pair, after: Pair, now_ms: int
    ) -> bool:
        """Store *after* and tell both; False, and nothing is done, if it was not *before*."""
        sides: list[_Side] = [
            (me, other, before.mine, after.mine),
            (other, me, before.theirs, after.theirs),
        ]
        try:
            async with self._outbox.transaction() as rows:
                for side in sorted(sides):
                    await _write(rows, side, now_ms)
                for side in sides:
                    _announce(rows, side, now_ms)
        except (_RacedError, Conflict):
            return False
        return True

    async def one(self, me: UserId, other: UserId) -> Relationship | None:
        """Return what *other* is to *me*."""
        rows = await self._database.fetch(
            """
            SELECT other, kind, since_ms FROM relationships
            WHERE owner = :me AND other = :other LIMIT 1
            """,
            {"me": me, "other": other},
        )
        return _relationships(rows)[0] if rows else None

    async def of(self, user: UserId, after: UserId | None, limit: int) -> list[Relationship]:
        """Return what others are to *user*, sorted by their ids, those *after* one."""
        rows = await self._database.fetch(
            """
            SELECT other, kind, since_ms FROM relationships
            WHERE owner = :user AND other > :after ORDER BY other LIMIT :limit
            """,
            {"user": user, "after": after or _FIRST, "limit": limit},
        )
        return _relationships(rows)

    async def count(self, user: UserId, kind: RelationshipKind) -> int:
        """Return how many of a kind *user* has."""
        rows = await self._database.fetch(
            "SELECT count(*) FROM relationships WHERE owner = :user AND kind = :kind LIMIT 1",
            {"user": user, "kind": kind},
        )
        return msgspec.convert(rows, list[tuple[int]])[0][0]

    async def friends(self, user: UserId) -> list[UserId]:
        """Return the friends of *user*."""
        rows = await self._database.fetch(
            """
            SELECT other FROM relationships WHERE owner = :user AND kind = 'friend' LIMIT :limit
            """,
            {"user": user, "limit": _FRIENDS_MAX},
        )
        return [other for (other,) in msgspec.convert(rows, list[tuple[UserId]])]

    async def contacts(self, user: UserId, others: Sequence[UserId]) -> dict[UserId, Contact]:
        """Return what stands between *user* and each of *others*."""
        if not others:
            return {}
        names = {f"other_{number}": other for number, other in enumerate(others)}
        marks = ", ".join(f":{name}" for name in names)
        rows = await self._database.fetch(
            f"""
            SELECT owner, other, kind FROM relationships
            WHERE (owner = :user AND other IN ({marks})) OR (other = :user AND owner IN ({marks}))
            LIMIT 1000
            """,  # noqa: S608  # marks are made above, from numbers
            {"user": user, **names},
        )
        found = msgspec.convert(rows, list[tuple[UserId, UserId, RelationshipKind]])
        friends = {other for owner, other, kind in found if owner == user and kind == "friend"}
        blocked = {
            other if owner == user else owner for owner, other, kind in found if kind == "blocked"
        }
        return {other: Contact(other in friends, other in blocked) for other in others}

    async def forget(self, user: UserId) -> None:
        """End all that *user* has with others, and tell those."""
        while True:
            async with self._outbox.transaction() as rows:
                others = await _forget_some(rows, user)
            if len(others) < _FORGOTTEN_AT_ONCE:
                return


def _relationships(rows: Sequence[tuple[object, ...]]) -> list[Relationship]:
    found = msgspec.convert(rows, list[tuple[UserId, RelationshipKind, int]])
    return [Relationship(*fields) for fields in found]


async def _write(rows: Rows, side: _Side, now_ms: int) -> None:
    """Write one side, also one that stays as it is: the other side's step depends on it."""
    owner, other, before, after = side
    place = {"owner": owner, "other": other}
    if before is None:
        if after is None:
            return
        statement = """
            INSERT INTO relationships (owner, other, kind, since_ms)
            VALUES (:owner, :other, :after, :now_ms)
        """
        touched = await rows.execute(statement, {**place, "after": after, "now_ms": now_ms})
    elif after is None:
        statement = """
            DELETE FROM relationships WHERE owner = :owner AND other = :other AND kind = :before
        """
        touched = await rows.execute(statement, {**place, "before": before})
    else:
        statement = """
            UPDATE relationships SET kind = :after,
                since_ms = CASE WHEN kind = :after THEN since_ms ELSE :now_ms END
            WHERE owner = :owner AND other = :other AND kind = :before
        """
        values = {**place, "before": before, "after": after, "now_ms": now_ms}
        touched = await rows.execute(statement, values)
    if not touched:
        raise _RacedError


def _announce(rows: Rows, side: _Side, now_ms: int) -> None:
    owner, other, before, after = side
    if before == after:
        return
    audience = ToUsers([owner])
    if after is None:
        rows.announce(audience, RelationshipEnded(other))
    else:
        rows.announce(audience, RelationshipChanged(Relationship(other, after, now_ms)))


async def _forget_some(rows: Rows, user: UserId) -> list[UserId]:
    """Delete some rows of *user* and return whom they were with."""
    found = await rows.fetch(
        """
        SELECT owner, other FROM relationships WHERE owner = :user OR other = :user
        ORDER BY owner, other LIMIT :limit
        """,
        {"user": user, "limit": _FORGOTTEN_AT_ONCE},
    )
    sides = msgspec.convert(found, list[tuple[UserId, UserId]])
    await rows.execute_many(
        "DELETE FROM relationships WHERE owner = :owner AND other = :other",
        [{"owner": owner, "other": other} for owner, other in sides],
    )
    for owner, _ in sides:
        if owner != user:
            rows.announce(ToUsers([owner]), RelationshipEnded(user))
    return [owner for owner, _ in sides]
