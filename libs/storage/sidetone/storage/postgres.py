"""The shared database, over a pool of connections."""

import re
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import LiteralString, TypeAlias, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from sidetone.protocol.refusals import Conflict, Unavailable
from sidetone.storage import EngineAway, Row, StorageError, Transaction, Values
from sidetone.storage.meters import CONNECTIONS, EXECUTE, EXECUTE_MANY, FETCH, pool_metrics
from sidetone.storage.transactions import StrictTransaction
from sidetone.telemetry.metrics import Timed

Connection: TypeAlias = AsyncConnection[TupleRow]

_CONNECTIONS_MIN = 2
_CONNECTIONS_MAX = 10
_CONNECT_SECONDS_MAX = 5
# How long a statement waits for a connection. The pool, too, gives up to connect after this time
# and begins anew with the next statement: its own pauses would grow with the outage.
_WAIT_SECONDS_MAX = 2.0
_STATEMENTS_PREPARED = 500
_CONNECTION = {
    "autocommit": True,
    "connect_timeout": _CONNECT_SECONDS_MAX,
    # A server that vanished without a word is noticed after this time.
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
# The latter two come of several who CREATE TABLE IF NOT EXISTS at once.
_EXISTS = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.DuplicateObject,
    psycopg.errors.DuplicateTable,
)
_SERIAL_KEY = "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"
# What is written under the lock need not wait for the disk; see the port.
_LOCK = """
SELECT set_config('synchronous_commit', 'off', true),
    pg_advisory_xact_lock(hashtextextended(:name, 0))
"""
# A literal, which is left as it is, or `:name` but not the `::type` of a cast.
_LITERAL_OR_MARK = re.compile(r"'[^']*'|(?<!:):([a-z_][a-z0-9_]*)")


@lru_cache(maxsize=1_000)
def with_psycopg_marks(statement: str) -> LiteralString:
    """Rewrite ``:name`` marks as psycopg wants them.

    >>> with_psycopg_marks("SELECT a::text FROM t WHERE a = :a AND b <> 'c:d'")
    "SELECT a::text FROM t WHERE a = %(a)s AND b <> 'c:d'"
    """

    def rewrite(match: re.Match[str]) -> str:
        return f"%({match[1]})s" if match[1] else match[0]

    return cast("LiteralString", _LITERAL_OR_MARK.sub(rewrite, statement.replace("%", "%%")))


class PostgresDatabase:
    """A PostgreSQL server; each statement outside a transaction borrows a connection."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str) -> "PostgresDatabase":
        """Connect to the server. Raises ``StorageError`` where that takes more than 5 seconds."""
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # What libpq says of it would repeat it, and with it the password.
            message = "the URL of the PostgreSQL database cannot be read: write postgresql://..."
            raise StorageError(message) from None
        pool = AsyncConnectionPool(
            url,
            connection_class=AsyncConnection[TupleRow],
            kwargs=_CONNECTION,
            min_size=_CONNECTIONS_MIN,
            max_size=_CONNECTIONS_MAX,
            timeout=_WAIT_SECONDS_MAX,
            reconnect_timeout=_WAIT_SECONDS_MAX,
            configure=_configure,
            open=False,
        )
        try:
            # One plain attempt first: the pool would only say that it waited.
            await (
                await AsyncConnection.connect(url, connect_timeout=_CONNECT_SECONDS_MAX)
            ).close()
            await pool.open(wait=True, timeout=_CONNECT_SECONDS_MAX)
        except psycopg.OperationalError as error:
            await pool.close()
            reason = " ".join(str(error).split())
            remedy = "check that the server runs and that the URL is right"
            raise EngineAway(f"cannot open the PostgreSQL database: {reason}; {remedy}") from error
        CONNECTIONS.from_(lambda: pool_metrics(pool.get_stats()))
        return cls(pool)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def execute(self, statement: str, values: Values) -> int:
        """Run one statement and return how many rows it touched."""
        async with self._connection() as connection:
            return await _Statements(connection).execute(statement, values)

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        """Run one statement for each of *values*, in order, in one transaction."""
        async with self.transaction() as transaction:
            return await transaction.execute_many(statement, values)

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        """Return all rows of *query*."""
        async with self._connection() as connection:
            return await _Statements(connection).fetch(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        async with self._connection() as connection, connection.transaction():
            transaction = StrictTransaction(_Statements(connection))
            yield transaction
            transaction.require_success()

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncGenerator[Transaction]:
        """Be the only one in the cluster who is in the block of *name*: an advisory lock."""
        async with self._connection() as connection, connection.transaction():
            transaction = StrictTransaction(_Statements(connection))
            await transaction.fetch(_LOCK, {"name": name})
            yield transaction
            transaction.require_success()

    async def run_script(self, script: str) -> None:
        """Run several statements in one transaction, as slowly as they need."""
        script = script.replace("SERIAL_KEY", _SERIAL_KEY)
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute(cast("LiteralString", script))

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        with _translated():
            async with self._pool.connection() as connection:
                try:
                    yield connection
                finally:
                    if connection.broken:
                        # The server was away: the connections that rest are broken as well.
                        await self._pool.check()


class _Statements:
    """Statements on one connection, in whatever transaction it is."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: str, values: Values) -> int:
        with _translated(), Timed(EXECUTE):
            cursor = await self._connection.execute(with_psycopg_marks(statement), values)
        return cursor.rowcount

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        if not values:
            return 0
        with _translated(), Timed(EXECUTE_MANY):
            async with self._connection.cursor() as cursor:
                await cursor.executemany(with_psycopg_marks(statement), values)
                return cursor.rowcount

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        with _translated(), Timed(FETCH):
            cursor = await self._connection.execute(with_psycopg_marks(query), values)
            return await cursor.fetchall()


async def _configure(connection: Connection) -> None:
    connection.prepared_max = _STATEMENTS_PREPARED
    await connection.execute("SET statement_timeout = '30s'")
    # Whoever vanished inside a transaction holds nobody up for longer than this.
    await connection.execute("SET idle_in_transaction_session_timeout = '60s'")


@contextmanager
def _translated() -> Generator[None]:
    """Turn what PostgreSQL says into the refusals of the port; a bug stays a bug."""
    try:
        yield
    except _EXISTS as error:
        raise Conflict("already_exists", "it exists already; read again") from error
    except (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout) as error:
        detail = "the database does not answer; try again later"
        raise Unavailable("database_unavailable", detail) from error
