"""Rows and keys in and out. Knows databases; knows nothing of messages or users.

Statements are written once, in the SQL that SQLite and PostgreSQL share, with ``:name`` marks.
Columns are declared ``UUID``, ``BIGINT``, ``TEXT``, ``BYTEA`` or ``BOOLEAN`` and come back as
``UUID``, ``int``, ``str``, ``bytes`` and ``bool`` from both; ``SERIAL_KEY`` declares a ``BIGINT``
primary key that the database counts up by itself. An expression such as ``max(id)`` or
``EXISTS`` has no declared type, and SQLite returns what it stored.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias

Row: TypeAlias = tuple[object, ...]
Values: TypeAlias = Mapping[str, object]


class StorageError(Exception):
    """A store cannot be opened or migrated: one line for the operator, with what to do.

    Raised at start only. A store that fails later refuses the request with ``Unavailable``.
    """


class EngineAway(StorageError):
    """The server of a store does not let us in now; it may be on its way."""


class Transaction(Protocol):
    """Statements that happen together or not at all.

    After a statement was refused the transaction can only be rolled back: each further statement
    and the end of the block raise the same refusal.
    """

    async def execute(self, statement: str, values: Values) -> int:
        """Run one statement and return how many rows it touched."""
        ...

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        """Run one statement for each of *values*, in order, in one go; return the rows touched."""
        ...

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        """Return all rows of *query*; the query itself must carry the limit."""
        ...


class Database(Transaction, Protocol):
    """A relational database; a statement outside ``transaction`` is one of its own.

    What was acknowledged is durable: it survives ``kill -9`` and power loss. A statement that
    breaks a UNIQUE constraint raises ``Conflict`` with code ``already_exists``.

    Transactions may interleave (READ COMMITTED): what was read before a write can have changed.
    Put the condition into the write and look at the number of rows it touched.
    """

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        ...

    def alone(self, name: str) -> AbstractAsyncContextManager[Transaction]:
        """Be the only one in the whole cluster who is in the block of *name*: others wait.

        For relays and sweeps. What is written inside is kept at the end of the block at the
        latest, and one statement may be kept without the next; power loss may undo it. So read,
        do the work, and only then delete exactly what was read; to do it twice must do no harm.
        A minute without a statement may end it.
        """
        ...

    async def run_script(self, script: str) -> None:
        """Run several statements in one transaction, as migrations do."""
        ...


class KeyValue(Protocol):
    """An ephemeral store with expiry: placements, leases, limits. Losing it loses no fact."""

    async def get(self, key: str) -> bytes | None:
        """Return the value, or None when it is absent or expired."""
        ...

    async def put(self, key: str, value: bytes, lifetime_seconds: float) -> None:
        """Store *value* for *lifetime_seconds*."""
        ...

    async def put_if_absent(self, key: str, value: bytes, lifetime_seconds: float) -> bytes:
        """Return the value that holds the key now: *value*, or the one that was there first."""
        ...

    async def get_many(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        """Return the values of *keys*, in their order."""
        ...

    async def replace(
        self, key: str, before: bytes, after: bytes, lifetime_seconds: float
    ) -> bool:
        """Put *after* in the place of *before*, atomically; False if it was another value.

        With *before* the same as *after* it extends a lease.
        """
        ...

    async def remove(self, key: str) -> None:
        """Forget *key*."""
        ...

    async def take(self, key: str, count: int, period_ms: int) -> float:
        """Count one attempt of *key* against *count* in a burst, refilled evenly over *period_ms*.

        Return 0, or the seconds until the next attempt; a refused attempt is not counted. The
        generic cell rate algorithm (ITU-T I.371), by the store's own clock.
        """
        ...

    async def add_member(self, key: str, member: str, lifetime_seconds: float) -> None:
        """Put *member* into the set at *key*, or renew it there."""
        ...

    async def remove_member(self, key: str, member: str) -> None:
        """Take *member* out of the set at *key*."""
        ...

    async def members(self, key: str) -> Sequence[str]:
        """Return the members of the set at *key* that have not expired, sorted."""
        ...
