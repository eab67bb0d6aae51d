"""Migrations on every database, told once."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from sidetone.storage import Database, StorageError
from sidetone.storage.migrations import migrate, revert, steps
from tests.surroundings import database_place, open_database, open_database_at

KINDS = ["sqlite", "postgres"]
FIRST = """-- People: the first table.
CREATE TABLE people (name TEXT PRIMARY KEY);
INSERT INTO people VALUES ('Ada; "the first" 100%');
"""
SECOND = "ALTER TABLE people ADD COLUMN age BIGINT NOT NULL DEFAULT 36;"
PEOPLE = "SELECT name, age FROM people"


@pytest.fixture(params=KINDS)
async def database(request: pytest.FixtureRequest) -> AsyncGenerator[Database]:
    async with open_database(request.param) as database:
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_people.sql").write_text(FIRST)
    (tmp_path / "0002_age.sql").write_text(SECOND)
    (tmp_path / "README.md").write_text("Not a migration.")
    return tmp_path


async def test_files_are_applied_in_order_and_once(database: Database, folder: Path) -> None:
    await migrate(database, "auth", folder)
    await migrate(database, "auth", folder)
    assert await database.fetch(PEOPLE, {}) == [('Ada; "the first" 100%', 36)]


async def test_a_new_file_is_applied_to_an_old_database(database: Database, folder: Path) -> None:
    (folder / "0002_age.sql").unlink()
    await migrate(database, "auth", folder)
    (folder / "0002_age.sql").write_text(SECOND)
    await migrate(database, "auth", folder)
    assert len(await database.fetch(PEOPLE, {})) == 1


async def test_services_count_for_themselves(database: Database, tmp_path: Path) -> None:
    for service in ("auth", "chat"):
        folder = tmp_path / service
        folder.mkdir()
        (folder / f"0001_{service}.sql").write_text(f"CREATE TABLE {service} (n BIGINT);")
        await migrate(database, service, folder)
    assert await database.fetch("SELECT auth.n FROM auth JOIN chat ON TRUE", {}) == []


async def test_a_changed_file_is_told(database: Database, folder: Path) -> None:
    await migrate(database, "auth", folder)
    (folder / "0001_people.sql").write_text(FIRST + "-- A word more.")
    with pytest.raises(StorageError, match=r"0001_people\.sql of auth was changed"):
        await migrate(database, "auth", folder)


async def test_a_database_of_a_newer_version_is_told(database: Database, folder: Path) -> None:
    await migrate(database, "auth", folder)
    (folder / "0002_age.sql").unlink()
    with pytest.raises(StorageError, match="newer version"):
        await migrate(database, "auth", folder)


@pytest.mark.parametrize("name", ["0004_gap.sql", "0002_twice.sql", "people.sql"])
async def test_a_file_out_of_line_is_told(database: Database, folder: Path, name: str) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(StorageError, match=name):
        await migrate(database, "auth", folder)


async def test_a_failing_file_leaves_no_trace(database: Database, folder: Path) -> None:
    (folder / "0003_pets.sql").write_text("CREATE TABLE pets (n BIGINT); SELECT nonsense;")
    with pytest.raises(Exception, match="nonsense"):
        await migrate(database, "auth", folder)
    (folder / "0003_pets.sql").write_text("CREATE TABLE pets (n BIGINT);")
    await migrate(database, "auth", folder)
    assert await database.fetch("SELECT n FROM pets", {}) == []


async def test_a_file_that_meets_its_own_rows_is_told(database: Database, folder: Path) -> None:
    (folder / "0003_again.sql").write_text("INSERT INTO people (name) SELECT name FROM people;")
    with pytest.raises(StorageError, match=r"0003_again\.sql of auth clashes.*(?i:unique)"):
        await migrate(database, "auth", folder)
    (folder / "0003_again.sql").unlink()
    await migrate(database, "auth", folder)


@pytest.mark.parametrize("kind", KINDS)
async def test_many_may_start_at_once(kind: str, folder: Path) -> None:
    async def start(place: Path | str) -> None:
        async with open_database_at(place) as database:
            await migrate(database, "auth", folder)

    with database_place(kind) as place:
        async with asyncio.TaskGroup() as starters:
            for _ in range(8):
                starters.create_task(start(place))
        async with open_database_at(place) as database:
            assert len(await database.fetch(PEOPLE, {})) == 1


async def test_a_file_with_both_ways_goes_up_and_down(database: Database, folder: Path) -> None:
    both = "-- Pets.\n-- up\nCREATE TABLE pets (n BIGINT);\n-- down\nDROP TABLE pets;\n"
    (folder / "0003_pets.sql").write_text(both)
    await migrate(database, "auth", folder)
    await database.execute("INSERT INTO pets VALUES (1)", {})
    assert await revert(database, "auth", folder, 2) == ["0003_pets.sql"]
    assert await revert(database, "auth", folder, 2) == []
    known = await steps(database, "auth", folder)
    assert [(step.name, step.applied, step.reversible) for step in known] == [
        ("0001_people.sql", True, False),
        ("0002_age.sql", True, False),
        ("0003_pets.sql", False, True),
    ]
    await migrate(database, "auth", folder)
    assert await database.fetch("SELECT n FROM pets", {}) == []


async def test_nothing_is_undone_where_a_file_has_no_way_down(
    database: Database, folder: Path
) -> None:
    (folder / "0003_pets.sql").write_text("-- up\nSELECT 1;\n-- down\nDELETE FROM people;\n")
    await migrate(database, "auth", folder)
    with pytest.raises(StorageError, match=r"0002_age\.sql of auth has no way down"):
        await revert(database, "auth", folder, 0)
    assert len(await database.fetch(PEOPLE, {})) == 1
    assert all(step.applied for step in await steps(database, "auth", folder))


async def test_a_way_down_that_fails_leaves_everything(database: Database, folder: Path) -> None:
    wrong = "-- up\nSELECT 1;\n-- down\nDELETE FROM people; SELECT nonsense;\n"
    (folder / "0003_pets.sql").write_text(wrong)
    await migrate(database, "auth", folder)
    with pytest.raises(Exception, match="nonsense"):
        await revert(database, "auth", folder, 2)
    assert len(await database.fetch(PEOPLE, {})) == 1
    assert all(step.applied for step in await steps(database, "auth", folder))


async def test_a_way_down_can_be_put_right_later(database: Database, folder: Path) -> None:
    (folder / "0003_pets.sql").write_text("-- up\nSELECT 1;\n-- down\nSELECT nonsense;\n")
    await migrate(database, "auth", folder)
    (folder / "0003_pets.sql").write_text("-- up\nSELECT 1;\n-- down\nSELECT 2;\n")
    await migrate(database, "auth", folder)
    assert await revert(database, "auth", folder, 2) == ["0003_pets.sql"]


@pytest.mark.parametrize(
    "text", ["-- down\nSELECT 1;\n", "-- up\n-- up\n", "-- up\n-- down\n-- up"]
)
async def test_ways_out_of_order_are_told(database: Database, folder: Path, text: str) -> None:
    (folder / "0003_pets.sql").write_text(text)
    with pytest.raises(StorageError, match=r"0003_pets\.sql cannot be read"):
        await migrate(database, "auth", folder)


async def test_a_serial_key_counts_up_and_gives_no_number_twice(
    database: Database, folder: Path
) -> None:
    (folder / "0003_notes.sql").write_text("CREATE TABLE notes (number SERIAL_KEY, text TEXT);")
    await migrate(database, "auth", folder)
    insert = "INSERT INTO notes (text) VALUES (:text)"
    first = await database.fetch(f"{insert} RETURNING number", {"text": "a"})
    await database.execute("DELETE FROM notes", {})
    await database.execute_many(insert, [{"text": "b"}, {"text": "c"}])
    rows = await database.fetch("SELECT number, text FROM notes ORDER BY number", {})
    assert [text for _, text in rows] == ["b", "c"]
    numbers = [int(str(row[0])) for row in [*first, *rows]]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
