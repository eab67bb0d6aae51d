"""What the adapters of messages need of a CQL store, whoever speaks to it."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from sidetone.storage import Row, Values

# A statement with ``:name`` marks, and their values. A name without a mark is passed over, a mark
# without a name is left unset. A mark cannot be called as a word of CQL is, such as ``limit``.
Ask: TypeAlias = tuple[str, Values]


class Cql(Protocol):
    """One keyspace. Ids that are stored as blobs go in and come back as ids.

    All of it raises ``Unavailable`` while no majority of the copies can be reached.
    """

    def require_up(self) -> None:
        """Raise ``Unavailable`` where no node can be reached: what cannot succeed is not begun."""
        ...

    async def fetch(self, query: str, values: Values) -> list[Row]:
        """Return all rows of *query*; the query itself must carry the limit."""
        ...

    async def fetch_many(self, query: str, values: Sequence[Values]) -> list[list[Row]]:
        """Return the rows of *query* for each of *values*, asked at once."""
        ...

    async def write(self, asks: Sequence[Ask]) -> None:
        """Run statements at once and in no order; where one fails, others may have succeeded."""
        ...

    async def define(self, statement: str) -> None:
        """Change the schema; each node knows of it when this returns."""
        ...
