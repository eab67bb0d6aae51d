"""What a transaction means in every database: after the first failure there is no way but back.

PostgreSQL works like this by itself and would even answer the commit with a silent rollback;
SQLite would go on and commit the rest.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from sidetone.storage import Row, Transaction, Values


class StrictTransaction:
    """Passes statements on until one fails, then repeats that failure."""

    def __init__(self, statements: Transaction) -> None:
        self._statements = statements
        self._failure: Exception | None = None

    async def execute(self, statement: str, values: Values) -> int:
        """Run one statement and return how many rows it touched."""
        with self._remember_failure():
            return await self._statements.execute(statement, values)

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        """Run one statement for each of *values*, in order; return the rows touched."""
        with self._remember_failure():
            return await self._statements.execute_many(statement, values)

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        """Return all rows of *query*."""
        with self._remember_failure():
            return await self._statements.fetch(query, values)

    def require_success(self) -> None:
        """Raise the failure that the block swallowed, if any: nothing may be committed then."""
        if self._failure is not None:
            raise self._failure

    @contextmanager
    def _remember_failure(self) -> Generator[None]:
        self.require_success()
        try:
            yield
        except Exception as failure:
            self._failure = failure
            raise
