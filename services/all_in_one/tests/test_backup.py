"""``sidetone admin backup`` and ``restore``: what was there is there again, elsewhere."""

import asyncio
import gzip
import shutil
import sqlite3
import zlib
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from services.all_in_one.tests.test_commands import serving, sidetone
from sidetone.all_in_one.__main__ import main
from sidetone.client.api import Api
from sidetone.client.pinned import Endpoint
from sidetone.client.requests import Requests
from sidetone.protocol.ids import ChannelId
from tests import engines
from tests.surroundings import fresh_postgres

PASSWORD = "a long enough passphrase"
NO_LIMITS = {"SIDETONE_LIMITS_FACTOR": "1000"}
PICTURE = b"just a note\n" * 1000
KEYS = ("auth_keys", "ticket_keys")


@asynccontextmanager
async def api_of(address: str) -> AsyncGenerator[Api]:
    requests = Requests(Endpoint(address))
    try:
        yield Api(requests)
    finally:
        await requests.close()


async def write_until(api: Api, channel: ChannelId, enough: asyncio.Event) -> list[str]:
    """Write message after message; return those that were acknowledged."""
    acknowledged: list[str] = []
    while not enough.is_set():
        text = f"line {len(acknowledged)}"
        await api.messages.send(channel, text)
        acknowledged.append(text)
    return acknowledged


async def history(api: Api, channel: ChannelId) -> list[str]:
    texts: list[str] = []
    before = None
    while True:
        page = await api.messages.history(channel, before=before, limit=100)
        texts += [message.text for message in page.items if message.kind == "text"]
        if len(page.items) < 100:
            return texts[::-1]
        before = page.items[-1].id


def rows(folder: Path, table: str) -> Sequence[tuple[object, ...]]:
    database = sqlite3.connect(folder / "sidetone.sqlite3")
    try:
        return database.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
    finally:
        database.close()


async def test_a_backup_under_traffic_is_the_same_server_elsewhere(tmp_path: Path) -> None:
    data, elsewhere, archive = tmp_path / "data", tmp_path / "elsewhere", tmp_path / "one.backup"
    secret = tmp_path / "passphrase"
    secret.write_text("nine quiet badgers\n")
    sealed = ("--passphrase-file", secret)
    with serving(data, **NO_LIMITS) as (address, _):
        async with api_of(address) as ada:
            await ada.accounts.register("Ada", PASSWORD)
            home = await ada.servers.create("Crew")
            state = await ada.servers.state(home.id)
            channel = next(one.id for one in state.channels if one.kind == "text")
            file = await ada.media.upload(PICTURE, "note.txt", "text/plain")
            await ada.messages.send(channel, "before", attachments=[file.id])
            enough = asyncio.Event()
            writing = asyncio.create_task(write_until(ada, channel, enough))
            taken = await asyncio.to_thread(
                sidetone, "admin", "backup", "--data", data, *sealed, archive
            )
            enough.set()
            written = await writing
    assert taken.returncode == 0, taken.stderr
    assert archive.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "one.backup", "passphrase"]

    restored = await asyncio.to_thread(
        sidetone, "admin", "restore", "--data", elsewhere, *sealed, archive
    )
    assert restored.returncode == 0, restored.stderr
    assert [rows(elsewhere, table) for table in KEYS] == [rows(data, table) for table in KEYS]
    shutil.rmtree(data)
    with serving(elsewhere, **NO_LIMITS) as (again, _):
        assert again.split("#")[1] == address.split("#")[1], "members pin the server's key"
        async with api_of(again) as ada:
            await ada.accounts.log_in("Ada", PASSWORD)
            read = await history(ada, channel)
            assert await ada.media.read(file.id) == PICTURE
    # All that was acknowledged at one moment, and nothing of what came after it.
    assert read == ["before", *written[: len(read) - 1]]


def admin(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["admin", *map(str, arguments)])


def refusal(*arguments: object) -> str:
    result = admin(*arguments)
    assert result.exit_code != 0
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with tables, keys and a file, and no server."""
    folder = tmp_path / "data"
    assert CliRunner().invoke(main, ["migrate", "--data", str(folder), "up"]).exit_code == 0
    (folder / "tls").mkdir()
    (folder / "tls" / "key.pem").write_text("a key")
    (folder / "files" / "kept").mkdir(parents=True)
    (folder / "files" / "kept" / "one.raw").write_bytes(bytes(300_000))
    return folder


def test_a_folder_that_is_not_empty_is_left_as_it_is(tmp_path: Path, data: Path) -> None:
    archive = tmp_path / "one.backup"
    assert admin("backup", "--data", data, archive).exit_code == 0
    target = tmp_path / "target"
    target.mkdir()
    (target / "mine").write_text("keep")
    assert "is not empty" in refusal("restore", "--data", target, archive)
    assert [path.name for path in target.iterdir()] == ["mine"]


def test_a_backup_is_not_overwritten(tmp_path: Path, data: Path) -> None:
    archive = tmp_path / "one.backup"
    archive.write_text("older")
    assert "is there already" in refusal("backup", "--data", data, archive)
    assert archive.read_text() == "older"


def test_a_folder_gets_a_backup_named_by_the_time(tmp_path: Path, data: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    assert admin("backup", "--data", data, shelf).exit_code == 0
    (archive,) = shelf.iterdir()
    assert archive.name.startswith("sidetone-2")
    assert "is whole" in admin("restore", "--check", archive).output


def _unpacks_alike(one: bytes, other: bytes) -> bool:
    """Tell whether both say the same: a run of zeros can be packed in many ways."""
    try:
        return gzip.decompress(one) == gzip.decompress(other)
    except (OSError, EOFError, zlib.error):
        return False


@pytest.mark.parametrize("sealed", [False, True])
def test_whatever_is_changed_in_a_backup_is_noticed(
    tmp_path: Path, data: Path, *, sealed: bool
) -> None:
    archive, secret = tmp_path / "one.backup", tmp_path / "passphrase"
    secret.write_text("nine quiet badgers")
    options = ["--passphrase-file", secret] if sealed else []
    assert admin("backup", "--data", data, *options, archive).exit_code == 0
    content = archive.read_bytes()
    target = tmp_path / "target"
    size = len(content)
    places = (60, size // 3, size - 40, size - 5)
    changed = [content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :] for at in places]
    damages = [each for each in changed if sealed or not _unpacks_alike(each, content)]
    for damaged in [*damages, content[: size // 2], content[:-1], content[:10], b""]:
        archive.write_bytes(damaged)
        assert "is damaged" in refusal("restore", "--data", target, *options, archive)
        assert not target.exists()


def test_a_sealed_backup_opens_with_its_passphrase_only(tmp_path: Path, data: Path) -> None:
    archive, secret, other = (tmp_path / name for name in ("one.backup", "right", "wrong"))
    secret.write_text("nine quiet badgers")
    other.write_text("ten quiet badgers")
    assert admin("backup", "--data", data, "--passphrase-file", secret, archive).exit_code == 0
    target = ("--data", tmp_path / "target")
    assert "is sealed" in refusal("restore", *target, archive)
    assert "passphrase" in refusal("restore", *target, "--passphrase-file", other, archive)
    assert admin("restore", *target, "--passphrase-file", secret, archive).exit_code == 0
    assert (tmp_path / "target" / "tls" / "key.pem").read_text() == "a key"


def test_a_postgres_database_goes_into_an_empty_one(tmp_path: Path) -> None:
    if shutil.which("pg_dump") is None:
        engines.missing("pg_dump", "apt-get install postgresql-client")
    archive = tmp_path / "one.backup"
    with fresh_postgres() as one, fresh_postgres() as other:
        migrated = CliRunner().invoke(main, ["migrate", "--database", one, "up"])
        assert migrated.exit_code == 0
        put = "INSERT INTO file_drops (file) VALUES ('0198a7c0-0000-7000-8000-000000000001')"
        with psycopg.connect(one) as connection:
            connection.execute(put)
        assert admin("backup", "--database", one, archive).exit_code == 0
        restored = admin("restore", "--database", other, archive)
        assert restored.exit_code == 0, restored.output
        with psycopg.connect(other) as connection:
            (count,) = connection.execute("SELECT count(*) FROM file_drops").fetchone() or ()
            assert count == 1
        assert "is not empty" in refusal("restore", "--database", other, archive)
        up = CliRunner().invoke(main, ["migrate", "--database", other, "up"])
        assert up.output == "The database is up to this version.\n"
