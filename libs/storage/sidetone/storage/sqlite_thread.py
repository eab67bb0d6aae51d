"""A connection to SQLite with a thread of its own, so that no statement stops the event loop.

A piece of work is one trip to the thread and back, however many statements it has.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, TypeVar

from sidetone.protocol.refusals import Unavailable

R = TypeVar("R")

_Work: TypeAlias = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]"]


class SqliteThread:
    """Does what it is given in the order in which it comes, until it is closed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        # It may not keep a process alive that forgot to close it; a commit is safe by then.
        self._thread = Thread(target=self._run, name="sqlite", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how much was not begun yet."""
        return self._work.qsize()

    async def run(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return what *work* makes of the connection. Raises ``Unavailable`` once it is closed.

        Work whose caller is cancelled is done all the same, before what comes after it.
        """
        if self._closed:
            raise Unavailable("database_unavailable", "the database is closed; start it again")
        return await self._submit(work)

    async def close(self) -> None:
        """Finish what was begun or waits, and close the connection."""
        self._closed = True
        await self._submit(sqlite3.Connection.close)
        self._work.put(None)
        self._thread.join()

    def _submit(self, work: Callable[[sqlite3.Connection], R]) -> "asyncio.Future[R]":
        done: asyncio.Future[R] = self._loop.create_future()
        self._work.put((work, done))
        return done

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            work, done = item
            try:
                result, error = work(self._connection), None
            except BaseException as failure:
                result, error = None, failure
            # Where the loop is closed already nobody waits any more.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_settle, done, result, error)


def _settle(done: "asyncio.Future[Any]", result: object, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
