"""The embedded database: one file, one connection that writes and a few that only read.

SQLite has one writer anyway, so what writes takes turns; what only reads waits for nobody, and
sees all that was acknowledged. A second process may open the same file; whoever comes second to
write waits up to five seconds.
"""

import asyncio
import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from sidetone.protocol.refusals import Conflict, Unavailable
from sidetone.storage import Row, StorageError, Transaction, Values
from sidetone.storage.meters import (
    CONNECTIONS,
    EXECUTE,
    EXECUTE_MANY,
    FETCH,
    queue_metric,
)
from sidetone.storage.sqlite_thread import SqliteThread
from sidetone.storage.transactions import StrictTransaction
from sidetone.telemetry.metrics import Timed

R = TypeVar("R")

_BUSY_TIMEOUT_MS = 5_000
_BUSY_RETRY_SECONDS = 0.02
_READERS = 2
_STATEMENTS_PREPARED = 512
# Pages of 4 KB that the log may hold before they are moved to their places.
_LOG_PAGES = 4_000
# Whatever looks like a write is none of a reader's business; a SELECT that only talks of one is
# not slower on the connection that writes.
_READS = re.compile(
    r"\s*(SELECT|WITH)\b(?!.*\b(INSERT|UPDATE|DELETE)\b)", re.IGNORECASE | re.DOTALL
)
_UNIQUE = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_ROWID,
}
# AUTOINCREMENT: a number is never given twice, also not after its row was deleted.
_SERIAL_KEY = "INTEGER PRIMARY KEY AUTOINCREMENT"
# What can happen to a file that was fine when it was opened, and what the operator can do.
_REMEDIES = {
    sqlite3.SQLITE_BUSY: "another process holds it: stop that process, then try again",
    sqlite3.SQLITE_LOCKED: "another process holds it: stop that process, then try again",
    sqlite3.SQLITE_FULL: "free some space on the disk",
    sqlite3.SQLITE_IOERR: "check the disk and the system log",
    sqlite3.SQLITE_CANTOPEN: "check that the folder exists and that you may write there",
    sqlite3.SQLITE_READONLY: "allow writing to the file and to its folder",
    sqlite3.SQLITE_PERM: "allow reading and writing of the file",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore a backup",
    sqlite3.SQLITE_NOTADB: "it is damaged or another program's: restore a backup or move it away",
}

sqlite3.register_adapter(UUID, lambda value: value.bytes)
sqlite3.register_converter("UUID", lambda stored: UUID(bytes=stored))
sqlite3.register_converter("BOOLEAN", lambda stored: stored != b"0")


class SqliteDatabase:
    """A database in a file that survives ``kill -9`` and power loss."""

    def __init__(self, writer: SqliteThread, readers: Sequence[SqliteThread]) -> None:
        self._writer = writer
        self._readers = readers
        self._turn = asyncio.Lock()
        self._transaction_task: asyncio.Task[object] | None = None
        self._alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    async def open(cls, path: Path) -> "SqliteDatabase":
        """Open the file, or create it in a folder that exists. Raises ``StorageError``.

        Only its owner may read a file created here: it holds password hashes.
        """
        threads: list[SqliteThread] = []
        try:
            with _explained(path):
                threads.append(SqliteThread(_connection(path)))
                await threads[0].run(_prepare)
                for _ in range(_READERS):
                    threads.append(SqliteThread(_connection(path)))
                    await threads[-1].run(_prepare_reader)
        except BaseException:
            for thread in threads:
                await thread.close()
            raise
        CONNECTIONS.from_(lambda: [queue_metric(sum(thread.waiting for thread in threads))])
        return cls(threads[0], threads[1:])

    async def close(self) -> None:
        """Let the statements that run finish, then release the file."""
        async with self._turn:
            for reader in self._readers:
                await reader.close()
            await self._writer.close()

    async def execute(self, statement: str, values: Values) -> int:
        """Run one statement and return how many rows it touched."""
        async with self._own_turn():
            return await _Statements(self._writer).execute(statement, values)

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        """Run one statement for each of *values*, in order, in one transaction."""

        def work(connection: sqlite3.Connection) -> int:
            return _in_transaction(connection, lambda: _touched(connection, statement, values))

        async with self._own_turn():
            with Timed(EXECUTE_MANY):
                return await _run(self._writer, work)

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        """Return all rows of *query*."""
        if _only_reads(query):
            self._require_outside()
            reader = min(self._readers, key=lambda reader: reader.waiting)
            return await _Statements(reader).fetch(query, values)
        async with self._own_turn():
            return await _Statements(self._writer).fetch(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        async with self._own_turn():
            self._transaction_task = asyncio.current_task()
            statements = _Statements(self._writer)
            try:
                await statements.execute("BEGIN IMMEDIATE", {})
                transaction = StrictTransaction(statements)
                yield transaction
                transaction.require_success()
                await statements.execute("COMMIT", {})
            except BaseException:
                # Waits its turn behind a statement that was cancelled; nothing after a commit.
                await self._writer.run(sqlite3.Connection.rollback)
                raise
            finally:
                self._transaction_task = None

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncGenerator[Transaction]:
        """Be the only one in the block of *name*: one process has the file, so a lock in it.

        Each statement is one of its own, so that nobody else waits for the end of the block.
        """
        async with self._alone[name]:
            yield _Relaxed(self)

    async def relaxed(self, statement: str, values: Sequence[Values]) -> int:
        """Do as ``execute_many`` does, but leave the log in the cache of the system.

        It survives ``kill -9`` like every other write; power loss only once a full one followed.
        """

        def work(connection: sqlite3.Connection) -> int:
            connection.execute("PRAGMA synchronous = NORMAL")
            try:
                return _in_transaction(connection, lambda: _touched(connection, statement, values))
            finally:
                connection.execute("PRAGMA synchronous = FULL")

        async with self._own_turn():
            with Timed(EXECUTE_MANY):
                return await _run(self._writer, work)

    async def run_script(self, script: str) -> None:
        """Run several statements in one transaction."""
        script = f"BEGIN IMMEDIATE;\n{script.replace('SERIAL_KEY', _SERIAL_KEY)}\n;COMMIT;"

        def work(connection: sqlite3.Connection) -> None:
            try:
                connection.executescript(script)
            except BaseException:
                connection.rollback()
                raise

        async with self._own_turn():
            await _run(self._writer, work)

    @asynccontextmanager
    async def _own_turn(self) -> AsyncGenerator[None]:
        self._require_outside()
        async with self._turn:
            yield

    def _require_outside(self) -> None:
        if self._transaction_task is not None and (
            self._transaction_task is asyncio.current_task()
        ):
            message = "inside a transaction use the transaction: the database waits for its end"
            raise RuntimeError(message)


class _Statements:
    """Statements on a connection, in whatever transaction it is."""

    def __init__(self, thread: SqliteThread) -> None:
        self._thread = thread

    async def execute(self, statement: str, values: Values) -> int:
        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(statement, values)
            touched = cursor.rowcount
            cursor.close()
            return touched

        with Timed(EXECUTE):
            return await _run(self._thread, work)

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        with Timed(EXECUTE_MANY):
            return await _run(
                self._thread, lambda connection: _touched(connection, statement, values)
            )

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        with Timed(FETCH):
            return await _run(
                self._thread, lambda connection: connection.execute(query, values).fetchall()
            )


class _Relaxed:
    """Statements of their own whose loss does no harm."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def execute(self, statement: str, values: Values) -> int:
        return await self._database.relaxed(statement, [values])

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        return await self._database.relaxed(statement, values)

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        return await self._database.fetch(query, values)


@lru_cache(maxsize=1_000)
def _only_reads(query: str) -> bool:
    """Tell whether *query* may go to a connection that cannot write.

    >>> _only_reads("SELECT 1"), _only_reads("DELETE FROM t RETURNING id")
    (True, False)
    """
    return _READS.match(query) is not None


async def _run(thread: SqliteThread, work: Callable[[sqlite3.Connection], R]) -> R:
    with _translated():
        return await thread.run(work)


def _in_transaction(connection: sqlite3.Connection, work: Callable[[], R]) -> R:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work()
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return result


def _touched(connection: sqlite3.Connection, statement: str, values: Sequence[Values]) -> int:
    cursor = connection.executemany(statement, values)
    touched = max(0, cursor.rowcount)
    cursor.close()
    return touched


def _connection(path: Path) -> sqlite3.Connection:
    """Connect to the file, which is created for its owner alone; its log gets the same mode."""
    path.touch(mode=0o600)
    return sqlite3.connect(
        path,
        timeout=_BUSY_TIMEOUT_MS / 1_000,
        isolation_level=None,
        detect_types=sqlite3.PARSE_DECLTYPES,
        cached_statements=_STATEMENTS_PREPARED,
        check_same_thread=False,
    )


def _prepare(connection: sqlite3.Connection) -> None:
    """Set what SQLite forgets between connections, and prove that the file can be written."""
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    # Without it macOS calls a write done while it is still in the cache of the disk.
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    # Of a file that only can be read SQLite says so at the first real write, and not before.
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {int(version)}")


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA query_only = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log, for which SQLite itself does not wait its turn."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_MS / 1_000
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if _code(error) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_RETRY_SECONDS)
            continue
        if mode != "wal":
            raise OSError("its disk cannot hold a write-ahead log: choose a local disk")
        return


@contextmanager
def _explained(path: Path) -> Generator[None]:
    """Turn what went wrong with the file at *path* into one line for the operator."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = "check that the folder exists and that you may write there"
        raise StorageError(f"cannot open the database {path}: {reason}; {remedy}") from error
    except sqlite3.Error as error:
        remedy = _REMEDIES.get(_code(error) & 0xFF, "see the documentation of SQLite")
        raise StorageError(f"cannot open the database {path}: {error}; {remedy}") from error


@contextmanager
def _translated() -> Generator[None]:
    """Turn what SQLite says of a statement into the refusals of the port; a bug stays a bug."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        if _code(error) not in _UNIQUE:
            raise
        raise Conflict("already_exists", "it exists already; read again") from error
    except sqlite3.DatabaseError as error:
        remedy = _REMEDIES.get(_code(error) & 0xFF)
        if remedy is None:
            raise
        raise Unavailable("database_unavailable", f"the database failed: {error}") from error


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's extended result code, 0 where Python raised the error by itself."""
    return getattr(error, "sqlite_errorcode", 0)
