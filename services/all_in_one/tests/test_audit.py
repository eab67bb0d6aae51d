"""``sidetone audit`` as an operator meets it."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack, closing
from pathlib import Path

import httpx
from click.testing import CliRunner, Result

from sidetone.all_in_one.__main__ import main
from sidetone.all_in_one.app import SERVICES, build
from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.protocol.ids import ServerId
from sidetone.runtime.process import serving
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files_folder import FolderFiles
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.sqlite import SqliteDatabase
from tests.scenarios.world import POLICIES, MovedClock, Platform, sign_up


def audit(path: Path) -> Result:
    return CliRunner().invoke(main, ["audit", "--database", str(path)])


async def write_a_log(path: Path) -> ServerId:
    """Found two servers in the database at *path*, and change one; return that."""
    async with AsyncExitStack() as stack:
        database = await SqliteDatabase.open(path)
        stack.push_async_callback(database.close)
        bus, journal, tasks = MemoryBus(), MemoryJournal(), Tasks()
        for each in (bus, journal, tasks):
            stack.push_async_callback(each.close)
        clock = MovedClock()
        around = Surroundings(database, MemoryKeyValue(), bus, journal, clock, tasks)
        app = await build(around, FolderFiles(path.parent / "files"), POLICIES)
        port = await stack.enter_async_context(
            serving(app.http, "127.0.0.1", 0, clock=clock, upgrades=app.gateway)
        )
        http = await stack.enter_async_context(httpx.AsyncClient())
        urls = {name: [f"http://127.0.0.1:{port}"] for name in SERVICES}
        ada = await sign_up(Platform(urls, bus, clock, http), "Ada")
        await ada.found("The Anchor")
        server = await ada.found("The Tavern")
        for name in ("one", "two", "three"):
            path_of_roles = f"/chat/servers/{server.id}/roles"
            answer = await ada.send("POST", path_of_roles, {"name": name})
            assert answer.is_success, answer.text
        return server.id


def test_an_entry_that_somebody_changed_is_found(tmp_path: Path) -> None:
    path = tmp_path / "sidetone.db"
    server = asyncio.run(write_a_log(path))
    whole = audit(path)
    assert (whole.exit_code, whole.stdout) == (0, "2 of 2 logs are whole.\n")
    with closing(sqlite3.connect(path)) as database, database:
        changed = database.execute(
            "UPDATE audit_log SET actor = :nobody WHERE server = :server AND number = 2",
            {"nobody": bytes(16), "server": server.bytes},
        )
        assert changed.rowcount == 1
    broken = audit(path)
    assert broken.exit_code == 1
    assert broken.stdout == "1 of 2 logs are whole.\n"
    assert broken.stderr == f"The Tavern ({server}): entry 2 is not what was written\n"


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    shown = audit(tmp_path / "nothing.db")
    assert shown.exit_code == 1
    assert "there is no database at" in shown.stderr
