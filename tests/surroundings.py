"""What a test stands on: bus, journal, database and store, embedded or real, and fresh."""

import itertools
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from valkey import Valkey

from sidetone.bus import Bus, Journal
from sidetone.bus.access import Access
from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.local import LocalBus, LocalBusServer
from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.nats import OPEN, NatsBus
from sidetone.bus.tasks import Tasks
from sidetone.credentials.passwords import Cost
from sidetone.runtime.clock import Clock, SystemClock
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage import Database, KeyValue
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.postgres import PostgresDatabase
from sidetone.storage.sqlite import SqliteDatabase
from sidetone.storage.valkey import ValkeyKeyValue
from tests import engines

BusKind = Literal["memory", "local", "nats"]
DatabaseKind = Literal["sqlite", "postgres"]
KeyValueKind = Literal["memory", "valkey"]
JournalKind = Literal["memory", "nats"]
Topology = Literal["embedded", "distributed"]
TOPOLOGIES: tuple[Topology, ...] = ("embedded", "distributed")

# Thousands of accounts are made; what a real hash takes is tested where hashes are.
CHEAP = Cost(passes=1, memory_kib=8)

_numbers = itertools.count(1)
# Databases of this process that nobody uses now.
_emptied: list[str] = []
# Whoever left a transaction open is told so by the lock.
_EMPTY = """
DO $$
DECLARE name TEXT;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL lock_timeout = '10s';
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        IF name <> 'schema_migrations' THEN EXECUTE format('DELETE FROM %I', name); END IF;
    END LOOP;
    PERFORM setval(oid, 1, false) FROM pg_class WHERE relkind = 'S';
END $$
"""


@asynccontextmanager
async def open_surroundings(
    topology: Topology, clock: Clock | None = None
) -> AsyncGenerator[Surroundings]:
    """Open what a service's ``build`` is given: one process's, or what a cluster shares."""
    embedded = topology == "embedded"
    tasks = Tasks()
    async with (
        open_database("sqlite") if embedded else _open_emptied() as database,
        open_keyvalue("memory" if embedded else "valkey") as store,
        open_bus("memory" if embedded else "nats") as bus,
        open_journals("memory" if embedded else "nats") as (journal, _),
    ):
        try:
            yield Surroundings(database, store, bus, journal, clock or SystemClock(), tasks)
        finally:
            await tasks.close()


@asynccontextmanager
async def open_journals(kind: JournalKind) -> AsyncGenerator[tuple[Journal, Journal]]:
    """Open two ends of one journal."""
    if kind == "memory":
        memory = MemoryJournal()
        yield memory, memory
        await memory.close()
    else:
        url = engines.nats_url()
        async with open_nats_journal(url) as one, open_nats_journal(url) as other:
            yield one, other


@asynccontextmanager
async def open_nats_journal(url: str, access: Access = OPEN) -> AsyncGenerator[NatsJournal]:
    """Open a connection of its own to the journal of the NATS server at *url*."""
    journal = await NatsJournal.connect(url, access)
    try:
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def open_bus(kind: BusKind) -> AsyncGenerator[Bus]:
    """Open a bus; ``local`` is the end of a child process."""
    async with open_buses(kind) as (bus, _):
        yield bus


@asynccontextmanager
async def open_buses(kind: BusKind) -> AsyncGenerator[tuple[Bus, Bus]]:
    """Open two ends of one bus; of ``local`` the first is a child's, the second the parent's."""
    if kind == "memory":
        memory = MemoryBus()
        yield memory, memory
        await memory.close()
    elif kind == "local":
        async with open_local_buses(children=1) as (parent, child):
            yield child, parent
    else:
        async with open_nats() as one, open_nats() as other:
            yield one, other


@asynccontextmanager
async def open_local_buses(children: int) -> AsyncGenerator[list[Bus]]:
    """Open a parent's bus and that of *children* connected to it, in this order."""
    memory = MemoryBus()
    try:
        async with open_children_of(memory, children) as buses:
            yield [memory, *buses]
    finally:
        await memory.close()


@asynccontextmanager
async def open_children_of(bus: Bus, children: int) -> AsyncGenerator[list[LocalBus]]:
    """Open *bus* to children and return their ends."""
    with tempfile.TemporaryDirectory(prefix="sidetone-") as folder:
        path = Path(folder) / "bus.sock"
        server = await LocalBusServer.open(bus, path)
        buses = [await LocalBus.connect(path) for _ in range(children)]
        try:
            yield buses
        finally:
            for child in buses:
                await child.close()
            await server.close()


@asynccontextmanager
async def open_nats() -> AsyncGenerator[NatsBus]:
    """Open a connection of its own to the NATS server of this test run."""
    bus = await NatsBus.connect(engines.nats_url())
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def open_database(kind: DatabaseKind) -> AsyncGenerator[Database]:
    """Open an empty database that is thrown away afterwards."""
    with database_place(kind) as place:
        async with open_database_at(place) as database:
            yield database


@asynccontextmanager
async def open_database_at(place: str | Path) -> AsyncGenerator[Database]:
    """Open the database at *place*; the same place may be opened more than once."""
    database = await (
        SqliteDatabase.open(place) if isinstance(place, Path) else PostgresDatabase.open(place)
    )
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def database_place(kind: DatabaseKind) -> Generator[str | Path]:
    """Make room for a database: the path of a file, or the URL of an empty database."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="sidetone-") as folder:
            yield Path(folder) / "sidetone.db"
    else:
        with fresh_postgres() as url:
            yield url


@contextmanager
def fresh_postgres() -> Generator[str]:
    """Create an empty PostgreSQL database and return its URL; dropped afterwards."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(engines.postgres_url(), autocommit=True) as connection:
        yield _create_database(connection, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _create_database(connection: psycopg.Connection, name: str) -> str:
    connection.execute(f"CREATE DATABASE {name}".encode())
    return urlsplit(engines.postgres_url())._replace(path=f"/{name}").geturl()


@asynccontextmanager
async def _open_emptied() -> AsyncGenerator[Database]:
    """Open a PostgreSQL database without rows; services may have had their tables in it.

    To make a database takes as long as most tests do, and to make the tables of a service as long
    again.
    """
    if not _emptied:
        with psycopg.connect(engines.postgres_url(), autocommit=True) as connection:
            _emptied.append(_create_database(connection, f"test_{next(_numbers)}"))
    url = _emptied.pop()
    async with open_database_at(url) as database:
        yield database
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_EMPTY)
    _emptied.append(url)


@asynccontextmanager
async def open_keyvalue(
    kind: KeyValueKind, now_seconds: Callable[[], float] = time.monotonic
) -> AsyncGenerator[KeyValue]:
    """Open an empty key-value store; *now_seconds* is the embedded one's clock."""
    if kind == "memory":
        yield MemoryKeyValue(now_seconds)
        return
    url = engines.valkey_url()
    with Valkey.from_url(url) as client:
        client.flushdb()
    store = await ValkeyKeyValue.open(url)
    try:
        yield store
    finally:
        await store.close()
