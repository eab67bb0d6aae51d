import os
import stat
from pathlib import Path

import pytest

from sidetone.protocol.refusals import Conflict, Unavailable
from sidetone.storage import StorageError
from sidetone.storage.sqlite import SqliteDatabase
from tests.surroundings import open_database_at


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_the_file_and_its_log_are_for_the_owner_alone(tmp_path: Path) -> None:
    async with open_database_at(tmp_path / "sidetone.db") as database:
        await database.run_script("CREATE TABLE t (n BIGINT);")
        files = ("sidetone.db", "sidetone.db-wal", "sidetone.db-shm")
        assert modes_in(tmp_path) == dict.fromkeys(files, 0o600)


async def test_a_missing_folder_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "absent" / "sidetone.db"
    with pytest.raises(StorageError) as told:
        await SqliteDatabase.open(path)
    assert str(path) in str(told.value)
    assert "check that the folder exists" in str(told.value)
    assert "\n" not in str(told.value)


async def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open database file"):
        await SqliteDatabase.open(tmp_path)


async def test_a_file_of_another_program_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "sidetone.db"
    path.write_bytes(b"holiday pictures" * 1000)
    with pytest.raises(StorageError, match="restore a backup or move it away"):
        await SqliteDatabase.open(path)
    assert path.read_bytes() == b"holiday pictures" * 1000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sidetone.db"
    await (await SqliteDatabase.open(path)).close()
    path.chmod(0o400)
    with pytest.raises(StorageError, match=r"allow writing|you may write"):
        await SqliteDatabase.open(path)


async def test_a_file_damaged_later_makes_the_database_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "sidetone.db"
    async with open_database_at(path) as database:
        await database.run_script("CREATE TABLE t (n BIGINT, text TEXT);")
        for n in range(200):
            await database.execute(
                "INSERT INTO t VALUES (:n, :text)", {"n": n, "text": "x" * 1000}
            )
    damaged = bytearray(path.read_bytes())
    damaged[8192:] = b"\xff" * (len(damaged) - 8192)
    path.write_bytes(damaged)
    async with open_database_at(path) as database:
        with pytest.raises(Unavailable, match="database_unavailable"):
            await database.fetch("SELECT count(*), max(text) FROM t", {})


async def test_the_database_inside_its_own_transaction_is_a_told_mistake(tmp_path: Path) -> None:
    async with open_database_at(tmp_path / "sidetone.db") as database:
        async with database.transaction():
            with pytest.raises(RuntimeError, match="use the transaction"):
                await database.fetch("SELECT 1", {})
        assert await database.fetch("SELECT 1", {}) == [(1,)]


async def test_a_commit_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    """No test can cut the power, so this one asks SQLite for its promises: 2 is FULL."""
    async with open_database_at(tmp_path / "sidetone.db") as database:
        assert await database.fetch("PRAGMA synchronous", {}) == [(2,)]
        async with database.alone("relay") as rows:
            await rows.execute("CREATE TABLE notes (number BIGINT UNIQUE)", {})
            with pytest.raises(Conflict):
                await rows.execute_many("INSERT INTO notes VALUES (1)", [{}, {}])
        assert await database.fetch("PRAGMA synchronous", {}) == [(2,)]
        assert await database.fetch("PRAGMA journal_mode", {}) == [("wal",)]
        assert await database.fetch("PRAGMA fullfsync", {}) == [(1,)]
