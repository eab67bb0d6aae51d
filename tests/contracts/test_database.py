"""What every database does, told once."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from sidetone.protocol.refusals import Conflict, Refusal, Unavailable
from sidetone.storage import Database
from tests.surroundings import DatabaseKind, database_place, open_database, open_database_at

KINDS = ("sqlite", "postgres")
SCHEMA = """
CREATE TABLE people (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    age_ms BIGINT NOT NULL,
    key BYTEA,
    banned BOOLEAN NOT NULL
);
CREATE TABLE pets (
    owner UUID NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    name TEXT NOT NULL
);
"""
INSERT = "INSERT INTO people VALUES (:id, :name, :age_ms, :key, :banned)"
NAMES = "SELECT name FROM people ORDER BY name LIMIT 100"


def person(name: str) -> dict[str, object]:
    return {"id": uuid4(), "name": name, "age_ms": 2**62, "key": b"\x00\xff", "banned": False}


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest) -> AsyncGenerator[Database]:
    async with open_database(request.param) as database:
        await database.run_script(SCHEMA)
        yield database


async def test_values_come_back_in_their_types(database: Database) -> None:
    ada = person("Ada: it's 100% :name")
    assert await database.execute(INSERT, ada) == 1
    rows = await database.fetch("SELECT id, name, age_ms, key, banned FROM people", {})
    assert rows == [tuple(ada.values())]
    assert [type(value) for value in rows[0]] == [UUID, str, int, bytes, bool]


async def test_null_and_emptiness_are_kept_apart(database: Database) -> None:
    await database.execute(INSERT, person("Ada") | {"key": None})
    await database.execute(INSERT, person("") | {"key": b""})
    rows = await database.fetch("SELECT name, key FROM people ORDER BY name", {})
    assert rows == [("", b""), ("Ada", None)]


async def test_a_changed_row_can_be_returned(database: Database) -> None:
    ada = person("Ada")
    await database.execute(INSERT, ada)
    changed = await database.fetch(
        "UPDATE people SET banned = :banned WHERE id = :id RETURNING id, banned",
        {"id": ada["id"], "banned": True},
    )
    assert changed == [(ada["id"], True)]
    assert await database.fetch("SELECT banned FROM people", {}) == [(True,)]


async def test_execute_counts_the_rows_it_touched(database: Database) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        await database.execute(INSERT, person(name))
    statement = "UPDATE people SET age_ms = age_ms + :more WHERE name <> 'Ada:name'"
    assert await database.execute(statement, {"more": 1}) == 3
    assert await database.execute("DELETE FROM people WHERE name = :name", {"name": "Dora"}) == 0


async def test_ids_sort_by_their_bytes(database: Database) -> None:
    ids = [UUID(int=number) for number in (0, 1, 255, 256, 2**64, 2**127, 2**128 - 1)]
    for number, id_ in enumerate(reversed(ids)):
        await database.execute(INSERT, person(str(number)) | {"id": id_})
    rows = await database.fetch("SELECT id FROM people WHERE id > :id ORDER BY id", {"id": ids[1]})
    assert rows == [(id_,) for id_ in ids[2:]]


@pytest.mark.parametrize("same", ["id", "name"])
async def test_a_second_of_what_is_unique_is_a_conflict(database: Database, same: str) -> None:
    ada = person("Ada")
    await database.execute(INSERT, ada)
    with pytest.raises(Conflict) as refused:
        await database.execute(INSERT, person("Ben") | {same: ada[same]})
    assert refused.value.code == "already_exists"
    assert await database.fetch(NAMES, {}) == [("Ada",)]


async def test_another_broken_rule_is_a_bug_and_not_a_refusal(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)null") as caught:
        await database.execute(INSERT, person("Ada") | {"age_ms": None})
    assert not isinstance(caught.value, Refusal)
    with pytest.raises(Exception, match=r"(?i)foreign key") as caught:
        await database.execute("INSERT INTO pets VALUES (:owner, 'Rex')", {"owner": uuid4()})
    assert not isinstance(caught.value, Refusal)


async def test_a_removed_row_takes_its_dependants_with_it(database: Database) -> None:
    ada = person("Ada")
    await database.execute(INSERT, ada)
    await database.execute("INSERT INTO pets VALUES (:owner, 'Rex')", {"owner": ada["id"]})
    await database.execute("DELETE FROM people WHERE id = :id", {"id": ada["id"]})
    assert await database.fetch("SELECT name FROM pets", {}) == []


async def test_a_transaction_reads_its_own_writes_and_is_kept(database: Database) -> None:
    async with database.transaction() as transaction:
        await transaction.execute(INSERT, person("Ada"))
        await transaction.execute(INSERT, person("Ben"))
        assert await transaction.fetch(NAMES, {}) == [("Ada",), ("Ben",)]
    assert await database.fetch(NAMES, {}) == [("Ada",), ("Ben",)]


async def test_a_transaction_whose_block_raises_leaves_no_trace(database: Database) -> None:
    async def insert_and_fail() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(INSERT, person("Ada"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await insert_and_fail()
    assert await database.fetch(NAMES, {}) == []


async def test_a_swallowed_refusal_still_undoes_its_transaction(database: Database) -> None:
    await database.execute(INSERT, person("Ada"))

    async def swallow() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(INSERT, person("Ben"))
            with pytest.raises(Conflict):
                await transaction.execute(INSERT, person("Ada"))

    with pytest.raises(Conflict):
        await swallow()
    assert await database.fetch(NAMES, {}) == [("Ada",)]


async def test_nothing_runs_in_a_transaction_after_a_refusal(database: Database) -> None:
    await database.execute(INSERT, person("Ada"))

    async def go_on() -> None:
        async with database.transaction() as transaction:
            with pytest.raises(Conflict):
                await transaction.execute(INSERT, person("Ada"))
            with pytest.raises(Conflict):
                await transaction.fetch(NAMES, {})

    with pytest.raises(Conflict):
        await go_on()
    await database.execute(INSERT, person("Ben"))


async def test_a_cancelled_transaction_leaves_no_trace(database: Database) -> None:
    inserted = asyncio.Event()

    async def insert_and_hang() -> None:
        async with database.transaction() as transaction:
            await transaction.execute(INSERT, person("Ada"))
            inserted.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(insert_and_hang())
    await inserted.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await database.execute(INSERT, person("Ada"))


async def test_cancelling_at_any_moment_leaves_the_database_usable(database: Database) -> None:
    """Each round is cancelled one step later, so that some hit BEGIN and some COMMIT."""
    for steps in range(40):

        async def insert_two(steps: int = steps) -> None:
            async with database.transaction() as transaction:
                await transaction.execute(INSERT, person(f"first {steps}"))
                await transaction.execute(INSERT, person(f"second {steps}"))

        task = asyncio.create_task(insert_two())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        rows = await database.fetch(
            "SELECT name FROM people WHERE name LIKE :like", {"like": f"% {steps}"}
        )
        assert len(rows) in {0, 2}


async def test_transactions_side_by_side_lose_no_update(database: Database) -> None:
    ada = person("Ada") | {"age_ms": 0}
    await database.execute(INSERT, ada)

    async def grow() -> None:
        async with database.transaction() as transaction:
            await transaction.execute("UPDATE people SET age_ms = age_ms + 1", {})
            await transaction.fetch(NAMES, {})

    await asyncio.gather(*(grow() for _ in range(30)))
    assert await database.fetch("SELECT age_ms FROM people", {}) == [(30,)]


async def test_of_many_who_take_the_last_one_one_gets_it(database: Database) -> None:
    await database.execute(INSERT, person("Invite") | {"age_ms": 1})
    take = "UPDATE people SET age_ms = age_ms - 1 WHERE age_ms > 0"
    taken = await asyncio.gather(*(database.execute(take, {}) for _ in range(20)))
    assert sorted(taken) == [0] * 19 + [1]


async def test_a_script_happens_as_a_whole_or_not_at_all(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)nonsense"):
        await database.run_script("CREATE TABLE half (n BIGINT); SELECT nonsense;")
    await database.run_script("CREATE TABLE half (n BIGINT); -- a comment at the end")
    await database.execute("INSERT INTO half VALUES (1)", {})


async def test_one_statement_runs_for_many_values_in_order(database: Database) -> None:
    people = [person(name) for name in ("Ada", "Ben", "Cleo")]
    assert await database.execute_many(INSERT, people) == 3
    assert await database.fetch(NAMES, {}) == [("Ada",), ("Ben",), ("Cleo",)]
    rename = "UPDATE people SET name = :after WHERE name = :before"
    steps = [{"before": "Ada", "after": "Dora"}, {"before": "Dora", "after": "Eve"}]
    assert await database.execute_many(rename, [*steps, {"before": "nobody", "after": "x"}]) == 2
    assert await database.execute_many(INSERT, []) == 0


async def test_of_many_values_all_are_kept_or_none(database: Database) -> None:
    ada = person("Ada")
    with pytest.raises(Conflict):
        await database.execute_many(INSERT, [ada, person("Ben"), ada])
    assert await database.fetch(NAMES, {}) == []

    async def insert_many_and_fail() -> None:
        async with database.transaction() as transaction:
            await transaction.execute_many(INSERT, [person("Ada"), person("Ben")])
            assert len(await transaction.fetch(NAMES, {})) == 2
            await transaction.execute_many(INSERT, [])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await insert_many_and_fail()
    assert await database.fetch(NAMES, {}) == []


async def test_reading_waits_for_no_transaction(database: Database) -> None:
    await database.execute(INSERT, person("Ada"))
    async with asyncio.timeout(30), database.transaction() as transaction:
        await transaction.execute(INSERT, person("Ben"))
        others = [asyncio.create_task(names_in(database)) for _ in range(8)]
        assert await asyncio.gather(*others) == [[("Ada",)]] * 8
    assert await names_in(database) == [("Ada",), ("Ben",)]


async def names_in(database: Database) -> object:
    return await database.fetch(NAMES, {})


async def test_what_was_acknowledged_is_read_at_once(database: Database) -> None:
    for number in range(50):
        await database.execute(INSERT, person(str(number)))
        count = "WITH all_people AS (SELECT id FROM people) SELECT count(*) FROM all_people"
        assert await database.fetch(count, {}) == [(number + 1,)]


async def test_a_statement_that_begins_with_a_name_may_write(database: Database) -> None:
    await database.execute(INSERT, person("Ada"))
    rename = """
        WITH named AS (SELECT id FROM people WHERE name = :before)
        UPDATE people SET name = :after WHERE id IN (SELECT id FROM named) RETURNING name
    """
    assert await database.fetch(rename, {"before": "Ada", "after": "Ben"}) == [("Ben",)]
    assert await database.fetch(NAMES, {}) == [("Ben",)]


@pytest.mark.parametrize("kind", KINDS)
async def test_one_at_a_time_is_alone_with_a_name(kind: DatabaseKind) -> None:
    with database_place(kind) as place:
        async with open_database_at(place) as one, open_database_at(place) as other:
            await one.run_script(SCHEMA)
            ends = (one, other) if kind == "postgres" else (one, one)
            inside = 0

            async def be_alone(database: Database) -> None:
                nonlocal inside
                async with database.alone("sweep") as rows:
                    inside += 1
                    assert inside == 1
                    await rows.execute_many(INSERT, [person(str(uuid4()))])
                    await asyncio.sleep(0)
                    assert inside == 1
                    inside -= 1

            await asyncio.gather(*(be_alone(end) for end in ends * 5))
            assert await one.fetch("SELECT count(*) FROM people", {}) == [(10,)]


async def test_who_is_alone_with_one_name_waits_for_no_other(database: Database) -> None:
    async with asyncio.timeout(30), database.alone("a") as rows, database.alone("b") as others:
        await others.execute(INSERT, person("Ben"))
        await rows.execute(INSERT, person("Ada"))
    assert await database.fetch(NAMES, {}) == [("Ada",), ("Ben",)]


async def test_while_somebody_is_alone_others_write(database: Database) -> None:
    async with asyncio.timeout(30), database.alone("relay"):
        async with database.transaction() as transaction:
            await transaction.execute(INSERT, person("Ada"))
        await database.execute(INSERT, person("Ben"))
    assert await database.fetch(NAMES, {}) == [("Ada",), ("Ben",)]


async def test_who_fails_alone_lets_the_next_one_in(database: Database) -> None:
    async def fail() -> None:
        async with database.alone("relay"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with asyncio.timeout(30), database.alone("relay") as rows:
        await rows.execute(INSERT, person("Ada"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_closed_database_refuses_and_keeps_nobody_waiting(kind: DatabaseKind) -> None:
    with database_place(kind) as place:
        async with open_database_at(place) as database:
            await database.run_script(SCHEMA)

        async def delete() -> int:
            return await database.execute("DELETE FROM people", {})

        async with asyncio.timeout(30):
            for work in (delete(), names_in(database)):
                with pytest.raises(Unavailable):
                    await work


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.surroundings import open_database_at

async def main(place):
    async with open_database_at(place) as database:
        for number in range(1_000_000):
            async with database.transaction() as transaction:
                for name in ("a", "b"):
                    values = {"name": f"{number} {name}"}
                    await transaction.execute("INSERT INTO lines VALUES (:name)", values)
            print(number, flush=True)

kind, place = sys.argv[1:]
asyncio.run(main(Path(place) if kind == "sqlite" else place))
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_acknowledged_survives_a_kill(kind: DatabaseKind) -> None:
    with database_place(kind) as place:
        async with open_database_at(place) as database:
            await database.run_script("CREATE TABLE lines (name TEXT NOT NULL);")
        acknowledged = write_until_killed(kind, place)
        async with open_database_at(place) as database:
            rows = await database.fetch("SELECT name FROM lines", {})
    names = {str(name) for (name,) in rows}
    assert acknowledged >= 20
    for number in range(acknowledged + 1):
        assert {f"{number} a", f"{number} b"} <= names
    # The transaction that was cut may have been kept as a whole, but not by half.
    assert len(names) % 2 == 0


def write_until_killed(kind: DatabaseKind, place: str | Path) -> int:
    """Kill a writing process with SIGKILL; return the last number that it saw acknowledged."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, kind, str(place)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) == 20:
            os.kill(writer.pid, signal.SIGKILL)
            break
    rest = writer.stdout.read().splitlines()
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    return int(rest[-1]) if rest else 20
