"""The embedded database: one file behind one connection.

SQLite has one writer anyway, so statements and transactions take turns. A second process may open
the same file; whoever comes second waits up to five seconds.
"""

import asyncio
import logging
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID

import aiosqlite

from sidetone.protocol.refusals import Conflict, Unavailable
from sidetone.storage import Row, StorageError, Transaction, Values
from sidetone.storage.transactions import StrictTransaction

_BUSY_TIMEOUT_MS = 5_000
_BUSY_RETRY_SECONDS = 0.02
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

# At level DEBUG it would log each statement with its values, and those hold secrets.
logging.getLogger("aiosqlite").setLevel(logging.WARNING)

sqlite3.register_adapter(UUID, lambda value: value.bytes)
sqlite3.register_converter("UUID", lambda stored: UUID(bytes=stored))
sqlite3.register_converter("BOOLEAN", lambda stored: stored != b"0")


class SqliteDatabase:
    """A database in a file that survives ``kill -9`` and power loss."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._statements = _Statements(connection)
        self._turn = asyncio.Lock()
        self._transaction_task: asyncio.Task[object] | None = None
        self._alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @classmethod
    async def open(cls, path: Path) -> "SqliteDatabase":
        """Open the file, or create it in a folder that exists. Raises ``StorageError``.

        Only its owner may read a file created here: it holds password hashes.
        """
        with _explained(path):
            _create_private(path)
            connection = await aiosqlite.connect(
                path, isolation_level=None, detect_types=sqlite3.PARSE_DECLTYPES
            )
            try:
                await _prepare(connection)
            except BaseException:
                await connection.close()
                raise
        return cls(connection)

    async def close(self) -> None:
        """Let the statements that run finish, then release the file."""
        async with self._turn:
            await self._connection.close()

    async def execute(self, statement: str, values: Values) -> int:
        """Run one statement and return how many rows it touched."""
        async with self._own_turn():
            return await self._statements.execute(statement, values)

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        """Run one statement for each of *values*, in order, in one transaction."""
        async with self.transaction() as transaction:
            return await transaction.execute_many(statement, values)

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        """Return all rows of *query*."""
        async with self._own_turn():
            return await self._statements.fetch(query, values)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Transaction]:
        """Open a transaction: committed when the block ends, rolled back when it raises."""
        async with self._own_turn():
            self._transaction_task = asyncio.current_task()
            try:
                await self._statements.execute("BEGIN IMMEDIATE", {})
                transaction = StrictTransaction(self._statements)
                yield transaction
                transaction.require_success()
                await self._statements.execute("COMMIT", {})
            except BaseException:
                # Waits its turn behind a statement that was cancelled; nothing after a commit.
                await self._connection.rollback()
                raise
            finally:
                self._transaction_task = None

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncGenerator[Transaction]:
        """Be the only one in the block of *name*: one process has the file, so a lock in it.

        Each statement is one of its own, so that nobody else waits for the end of the block.
        """
        async with self._alone[name]:
            yield self

    async def run_script(self, script: str) -> None:
        """Run several statements in one transaction."""
        script = script.replace("SERIAL_KEY", _SERIAL_KEY)
        async with self._own_turn():
            try:
                with _translated():
                    await self._connection.executescript(f"BEGIN IMMEDIATE;\n{script}\n;COMMIT;")
            except BaseException:
                await self._connection.rollback()
                raise

    @asynccontextmanager
    async def _own_turn(self) -> AsyncGenerator[None]:
        if self._transaction_task is not None and (
            self._transaction_task is asyncio.current_task()
        ):
            message = "inside a transaction use the transaction: the database waits for its end"
            raise RuntimeError(message)
        async with self._turn:
            yield


class _Statements:
    """Statements on the connection, in whatever transaction it is."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def execute(self, statement: str, values: Values) -> int:
        with _translated():
            async with self._connection.execute(statement, values) as cursor:  # pyright: ignore[reportArgumentType]  # its stub knows sequences only
                return cursor.rowcount

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        with _translated():
            async with self._connection.executemany(statement, values) as cursor:  # pyright: ignore[reportArgumentType]  # its stub knows sequences only
                return max(0, cursor.rowcount)

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        with _translated():
            rows = await self._connection.execute_fetchall(query, values)  # pyright: ignore[reportArgumentType]  # its stub knows sequences only
        return [tuple(row) for row in rows]


def _create_private(path: Path) -> None:
    """Create the file for its owner alone; SQLite gives its log files the same mode.

    What cannot be opened fails here: the thread that aiosqlite starts before it opens a file is
    not waited for when that fails.
    """
    path.touch(mode=0o600)
    sqlite3.connect(path).close()


async def _prepare(connection: aiosqlite.Connection) -> None:
    """Set what SQLite forgets between connections, and prove that the file can be written."""
    await connection.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    await _write_ahead(connection)
    await connection.execute("PRAGMA synchronous = FULL")
    # Without it macOS calls a write done while it is still in the cache of the disk.
    await connection.execute("PRAGMA fullfsync = ON")
    await connection.execute("PRAGMA foreign_keys = ON")
    # Of a file that only can be read SQLite says so at the first real write, and not before.
    version = await connection.execute_fetchall("PRAGMA user_version")
    await connection.execute(f"PRAGMA user_version = {int(next(iter(version))[0])}")


async def _write_ahead(connection: aiosqlite.Connection) -> None:
    """Switch to a write-ahead log, for which SQLite itself does not wait its turn."""
    deadline = time.monotonic() + _BUSY_TIMEOUT_MS / 1_000
    while True:
        try:
            mode = await connection.execute_fetchall("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if _code(error) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await asyncio.sleep(_BUSY_RETRY_SECONDS)
            continue
        if list(mode) != [("wal",)]:
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
