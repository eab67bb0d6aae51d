import asyncio

import psycopg
import pytest

from sidetone.protocol.refusals import Unavailable
from sidetone.storage import Database, StorageError
from sidetone.storage.postgres import PostgresDatabase
from tests.surroundings import fresh_postgres, open_database_at


async def test_an_absent_server_is_told_in_one_line_without_the_password() -> None:
    with pytest.raises(StorageError, match="check that the server runs") as told:
        await PostgresDatabase.open("postgresql://someone:hunter2@127.0.0.1:1/sidetone")
    assert "127.0.0.1" in str(told.value)
    assert "hunter2" not in str(told.value)
    assert "\n" not in str(told.value)


async def test_a_url_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(StorageError, match="postgresql://") as told:
        await PostgresDatabase.open("postgres//someone:hunter2@127.0.0.1/sidetone")
    assert "hunter2" not in str(told.value)
    assert told.value.__suppress_context__


async def test_a_server_that_dropped_every_connection_costs_one_request() -> None:
    with fresh_postgres() as url:
        async with open_database_at(url) as database:
            await asyncio.gather(*(database.fetch("SELECT pg_sleep(0.05)", {}) for _ in range(10)))
            drop_connections(url)
            with pytest.raises(Unavailable, match="database_unavailable"):
                await database.fetch("SELECT 1", {})
            for _ in range(20):
                assert await database.fetch("SELECT 1", {}) == [(1,)]


async def test_a_connection_lost_within_a_transaction_is_unavailable() -> None:
    async def lose(database: Database, url: str) -> None:
        async with database.transaction() as transaction:
            await transaction.execute("INSERT INTO t VALUES (1)", {})
            drop_connections(url)
            await transaction.execute("INSERT INTO t VALUES (2)", {})

    with fresh_postgres() as url:
        async with open_database_at(url) as database:
            await database.run_script("CREATE TABLE t (n BIGINT);")
            with pytest.raises(Unavailable, match="database_unavailable"):
                await lose(database, url)
            assert await database.fetch("SELECT n FROM t", {}) == []


def drop_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
