"""``sidetone admin users`` and ``servers``, beside a server that runs and on a database alone."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.all_in_one.tests.test_commands import serving
from services.chat.tests.discord import channel, message, snowflake, user, write
from sidetone.all_in_one.__main__ import main
from sidetone.client.api import Api
from sidetone.client.pinned import Endpoint
from sidetone.client.requests import Requests
from sidetone.protocol.refusals import Forbidden, NotFound, Refusal, Unauthenticated
from tests.surroundings import fresh_postgres

PASSWORD = "a long enough passphrase"
NO_LIMITS = {"SIDETONE_LIMITS_FACTOR": "1000"}


@asynccontextmanager
async def api_of(address: str) -> AsyncGenerator[Api]:
    requests = Requests(Endpoint(address))
    try:
        yield Api(requests)
    finally:
        await requests.close()


async def admin(data: Path, group: str, *arguments: object) -> str:
    """Run a command beside the server, which is another process; return what it says."""
    return await asyncio.to_thread(told, ("--data", str(data)), group, *arguments)


async def refused(api: Api, *kinds: type[Refusal]) -> None:
    """Wait until the server has heard that the login is over."""
    async with asyncio.timeout(30):
        while True:
            try:
                await api.accounts.me()
            except kinds:
                return
            await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_an_operator_acts_while_the_server_runs(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, **NO_LIMITS) as (address, _):
        async with api_of(address) as ada, api_of(address) as ben, api_of(address) as again:
            await ada.accounts.register("Ada", PASSWORD)
            await ben.accounts.register("Ben", PASSWORD)
            home = await ada.servers.create("Crew")
            await ben.servers.accept_invite((await ada.servers.invite(home.id)).code)

            await admin(data, "users", "disable", "ben")
            await refused(ben, Forbidden)
            with pytest.raises(Forbidden, match="account_disabled"):
                await again.accounts.log_in("Ben", PASSWORD)
            await admin(data, "users", "enable", "ben")
            await again.accounts.log_in("Ben", PASSWORD)

            told = await admin(data, "users", "reset-password", "Ben")
            await refused(again, Unauthenticated)
            password = told.split()[-1]
            await ben.accounts.log_in("Ben", password)

            await admin(data, "servers", "make-admin", "Crew", "Ben")
            await admin(data, "servers", "transfer", "Crew", "Ben")
            async with asyncio.timeout(30):
                while (await ben.servers.state(home.id)).server.owner == home.owner:
                    await asyncio.sleep(0.05)
            state = await ben.servers.state(home.id)
            assert [role.name for role in state.roles][1:] == ["Administrators"]

            await admin(data, "users", "delete", "--yes", "ada")
            # The account is gone before its logins are: either may be what the server says.
            await refused(ada, NotFound, Unauthenticated)
            async with asyncio.timeout(30):
                while len((await ben.servers.state(home.id)).members) == 2:
                    await asyncio.sleep(0.05)
            await admin(data, "servers", "delete", "--yes", home.id)
            async with asyncio.timeout(30):
                while await ben.servers.mine():
                    await asyncio.sleep(0.05)


async def test_whose_logins_end_logs_in_anew(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data, **NO_LIMITS) as (address, _):
        async with api_of(address) as ada:
            await ada.accounts.register("Ada", PASSWORD)
            (before,) = await ada.accounts.logins()
            assert "1 logins of Ada are over." in await admin(data, "users", "log-out", "ada")
            async with asyncio.timeout(30):
                # The client has the password, and logs in by itself when it is told.
                while before.id in {each.id for each in await ada.accounts.logins()}:
                    await asyncio.sleep(0.05)


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    """Options that lead to a database with tables, and no server on it."""
    if request.param == "sqlite":
        yield from _migrated("--data", str(tmp_path / "data"))
    else:
        with fresh_postgres() as url:
            yield from _migrated("--database", url)


def _migrated(*where: str) -> object:
    assert CliRunner().invoke(main, ["migrate", *where, "up"]).exit_code == 0
    yield where


def run(place: object, group: str, *arguments: object) -> Result:
    words = ["admin", group, *place, *map(str, arguments)]  # type: ignore[misc]
    return CliRunner().invoke(main, words)


def told(place: object, group: str, *arguments: object) -> str:
    result = run(place, group, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def refusal(place: object, group: str, *arguments: object) -> str:
    result = run(place, group, *arguments)
    assert result.exit_code != 0
    (line,) = result.stderr.splitlines()
    return line


def test_accounts_are_made_listed_and_deleted(place: object, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nine quiet badgers\n")
    assert "shown this once" in told(place, "users", "create", "Ada")
    assert "shown" not in told(place, "users", "create", "--password-file", secret, "Ben_1")
    assert "is taken" in refusal(place, "users", "create", "ADA")
    secret.write_text("short")
    assert "characters" in refusal(place, "users", "create", "--password-file", secret, "Cy")
    listed = [json.loads(line) for line in told(place, "users", "list", "--json").splitlines()]
    assert [one["name"] for one in listed] == ["Ada", "Ben_1"]
    assert [one["logins"] for one in listed] == [0, 0]
    assert re.match(r"\S+  Ben_1 ", told(place, "users", "list", "--search", "n_"))
    assert told(place, "users", "list", "--search", "%") == ""
    told(place, "users", "disable", "ada")
    assert "disabled" in told(place, "users", "show", listed[0]["id"])
    told(place, "users", "delete", "--yes", "ada")
    assert "there is no account 'ada'" in refusal(place, "users", "show", "ada")
    assert told(place, "servers", "list", "--json") == ""
    assert "there is no server 'x'" in refusal(place, "servers", "delete", "--yes", "x")


def test_a_database_that_nobody_used_is_told(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path))
    assert "there is no database" in refusal(where, "users", "list")
    (tmp_path / "sidetone.sqlite3").touch()
    assert "no server ever ran" in refusal(where, "users", "list")


def test_an_older_database_is_not_changed_under_its_server(tmp_path: Path) -> None:
    where = ["--data", str(tmp_path)]
    assert CliRunner().invoke(main, ["migrate", *where, "up"]).exit_code == 0
    down = CliRunner().invoke(main, ["migrate", *where, "down", "--service", "auth", "--to", "1"])
    assert down.exit_code == 0, down.output
    assert "the tables of auth are of an older version" in refusal(where, "users", "list")


def test_what_is_too_old_is_shown_before_it_goes(tmp_path: Path) -> None:
    where = ["--data", str(tmp_path)]
    assert CliRunner().invoke(main, ["migrate", *where, "up"]).exit_code == 0
    told(where, "users", "create", "Ada")
    export = tmp_path / "export"
    line = message(snowflake(1_600_000_000_000), "long ago", user(7, "Someone"))
    write(export, channel(snowflake(1_500_000_000_000), "hall"), line)
    report = told(where, "import-discord", "--owner", "Ada", export)
    assert "1 imported messages, 1 of them new" in report
    assert "Nothing was left out." in report
    assert told(where, "servers", "keep-messages", "The Old Tavern", 30).endswith("30 days.\n")
    due = json.loads(told(where, "retention", "--dry-run", "--json"))
    assert due == {"kind": "messages", "where": "The Old Tavern", "days": 30, "count": 1}
    assert "1 messages of The Old Tavern" in told(where, "retention")
    assert told(where, "retention") == ""


async def test_files_of_an_export_are_brought_beside_a_running_server(tmp_path: Path) -> None:
    data, export = tmp_path / "data", tmp_path / "export"
    (export / "files").mkdir(parents=True)
    (export / "files" / "a map.txt").write_bytes(b"turn left\n")
    (tmp_path / "secret.txt").write_text("not of the export")
    hall = channel(snowflake(1_500_000_000_000), "hall")
    files = [
        {"id": "901", "url": "files/a%20map.txt", "fileName": "a map.txt"},
        {"id": "902", "url": "../secret.txt", "fileName": "secret.txt"},
        {"id": "903", "url": "https://a.example/b.png", "fileName": "b.png"},
    ]
    said = snowflake(1_600_000_000_000)
    write(export, hall, message(said, "look", user(7, "Someone"), attachments=files))
    with serving(data, **NO_LIMITS) as (address, _):
        async with api_of(address) as ada:
            await ada.accounts.register("Ada", PASSWORD)
            for _ in range(2):
                await admin(data, "import-discord", "--owner", "Ada", export)
            (home,) = await ada.servers.mine()
            (place,) = (await ada.servers.state(home.id)).channels
            page = await ada.messages.history(place.id)
            assert [each.text for each in page.items] == [
                "look\n[secret.txt]\n[b.png] <https://a.example/b.png>"
            ]
            (file,) = page.items[0].attachments
            assert file.name == "a map.txt"
            assert await ada.media.read(file.id) == b"turn left\n"
