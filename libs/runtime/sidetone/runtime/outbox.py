"""Facts that are stored together with what they announce, and told afterwards.

A fact is a row of the transaction that it speaks of: it is announced if and only if that was kept,
also where the process dies in between. A relay then takes the oldest rows, records them in the
journal and deletes them. One relay of a service works at a time in the whole cluster, so the order
is that of the rows' numbers; a relay that dies before it deletes tells some facts again, with
their ids.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import cast

import msgspec
import structlog

from sidetone.bus import Journal
from sidetone.bus.answers import UNREADABLE
from sidetone.protocol.events import Audience, ClientEvent, Fact, Origin, ServiceEvent
from sidetone.protocol.ids import FactId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Database, Row, Transaction, Values
from sidetone.storage.migrations import migrate
from sidetone.telemetry.metrics import age_seconds, counter, gauge
from sidetone.telemetry.origins import origin_now, published

# Facts that a relay records at once.
FACTS_MAX = 500
# How long facts wait that another process stored and could not tell any more.
POLL_SECONDS = 1.0

_INSERT = "INSERT INTO outbox (service, fact) VALUES (:service, :fact)"
_OLDEST = """
SELECT number, fact FROM outbox WHERE service = :service ORDER BY number LIMIT :facts_max
"""
_DELETE = "DELETE FROM outbox WHERE number = :number"

_TOLD = counter(
    "sidetone_outbox_told_total", "Facts that this process brought to the journal.", "outbox"
)
_LAG = gauge(
    "sidetone_outbox_lag_seconds",
    "Age of the oldest fact that waits for the journal, as this process saw it last.",
    "outbox",
)
log = structlog.get_logger(__name__)


class Rows:
    """A transaction in which facts can be announced."""

    def __init__(self, transaction: Transaction, clock: Clock) -> None:
        self._transaction = transaction
        self._clock = clock
        self.facts: list[Fact] = []

    def announce(
        self,
        audience: Audience,
        event: ClientEvent | ServiceEvent,
        origin: Origin | None = None,
    ) -> None:
        """Tell *audience* of *event* when the transaction is kept.

        *origin* is what set it off, where that is not the present work.
        """
        self.facts.append(new_fact(self._clock, audience, event, origin))

    async def execute(self, statement: str, values: Values) -> int:
        """Run one statement and return how many rows it touched."""
        return await self._transaction.execute(statement, values)

    async def execute_many(self, statement: str, values: Sequence[Values]) -> int:
        """Run one statement for each of *values*, in order; return the rows touched."""
        return await self._transaction.execute_many(statement, values)

    async def fetch(self, query: str, values: Values) -> Sequence[Row]:
        """Return all rows of *query*."""
        return await self._transaction.fetch(query, values)


def new_fact(
    clock: Clock,
    audience: Audience,
    event: ClientEvent | ServiceEvent,
    origin: Origin | None = None,
) -> Fact:
    """Return *event* as what is told; *origin* where what set it off is not the present work."""
    origin = published(origin or origin_now(), str(event.__struct_config__.tag))
    return Fact(FactId(clock.new_id()), audience, event, origin)


class Outbox:
    """The facts of one service on their way from its database to the journal."""

    def __init__(self, database: Database, journal: Journal, clock: Clock, service: str) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._service = service
        self._stored = asyncio.Event()

    @classmethod
    async def open(cls, around: Surroundings, service: str) -> "Outbox":
        """Return the outbox of *service* with its relay at work. Raises ``StorageError``."""
        await migrate(around.database, "outbox", files("sidetone.runtime") / "migrations")
        outbox = cls(around.database, around.journal, around.clock, service)
        around.tasks.start(outbox.relay())
        return outbox

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Rows]:
        """Open a transaction of the database in which facts can be announced."""
        async with self._database.transaction() as transaction:
            rows = Rows(transaction, self._clock)
            yield rows
            # The last statements, so that nobody waits long behind a number that was drawn.
            await transaction.execute_many(
                _INSERT,
                [
                    {"service": self._service, "fact": msgspec.msgpack.encode(fact)}
                    for fact in rows.facts
                ],
            )
        if rows.facts:
            self._stored.set()

    async def relay(self) -> None:
        """Tell what is stored, for as long as the process lives."""
        while True:
            try:
                while await self._tell_oldest() == FACTS_MAX:
                    pass
            except Unavailable as unavailable:
                log.warning("facts_wait", service=self._service, reason=unavailable.detail)
                await asyncio.sleep(POLL_SECONDS)
                continue
            except Exception:
                log.exception("facts_wait", service=self._service)
                await asyncio.sleep(POLL_SECONDS)
                continue
            await self._something_stored()

    async def _something_stored(self) -> None:
        """Wait until this process stores a fact, or until it is time to look by itself."""
        try:
            async with asyncio.timeout(POLL_SECONDS):
                await self._stored.wait()
        except TimeoutError:
            pass
        self._stored.clear()

    async def _tell_oldest(self) -> int:
        """Record and delete the oldest facts; return how many there were.

        Deleted is what was read and no more: a lower number can be committed in between.
        """
        oldest = {"service": self._service, "facts_max": FACTS_MAX}
        async with self._database.alone(f"outbox of {self._service}") as rows:
            found = await rows.fetch(_OLDEST, oldest)
            facts = _facts(found)
            _LAG.labels(self._service).set(age_seconds(facts[0].id) if facts else 0)
            if found:
                await self._journal.record(facts)
                _TOLD.labels(self._service).inc(len(facts))
                await rows.execute_many(_DELETE, [{"number": number} for number, _ in found])
        return len(found)


def _facts(found: Sequence[Row]) -> list[Fact]:
    """Return what can be read; what an older version wrote otherwise must not stop the rest."""
    facts: list[Fact] = []
    for number, fact in found:
        try:
            facts.append(msgspec.msgpack.decode(cast("bytes", fact), type=Fact))
        except UNREADABLE as error:
            log.error("fact_unreadable", number=number, error=str(error))  # noqa: TRY400
    return facts
