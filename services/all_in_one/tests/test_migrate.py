"""``sidetone migrate`` as an operator meets it, on both databases."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sidetone.all_in_one.__main__ import main
from sidetone.all_in_one.data_folder import opened
from tests.surroundings import fresh_postgres


def migrate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["migrate", *map(str, arguments)])


def lines(*arguments: object) -> list[str]:
    result = migrate(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout.splitlines()


def refusal(*arguments: object) -> str:
    result = migrate(*arguments)
    assert result.exit_code != 0
    (line,) = result.stderr.splitlines()
    return line


def up_down_and_up(*where: object) -> None:
    applied = lines(*where, "up")
    assert "chat: 0001_servers.sql is applied." in applied
    assert applied[-1] == "The database is up to this version."
    assert lines(*where, "up") == applied[-1:]
    assert all("is applied" in line for line in lines(*where, "status"))
    assert lines(*where, "down", "--service", "outbox") == ["outbox: 0001_outbox.sql is undone."]
    assert "outbox: 0001_outbox.sql is not applied." in lines(*where, "status")
    undone = lines(*where, "down", "--service", "chat", "--to", "1")
    assert undone[-1] == "chat: 0002_community.sql is undone."
    assert "outbox: 0001_outbox.sql is applied." in lines(*where, "up")


def test_a_data_folder_goes_up_and_back(tmp_path: Path) -> None:
    up_down_and_up("--data", tmp_path / "data")


def test_a_shared_database_goes_up_and_back() -> None:
    with fresh_postgres() as url:
        up_down_and_up("--database", url)


def test_the_address_of_a_database_may_be_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh_postgres() as url:
        (tmp_path / "url").write_text(url)
        monkeypatch.setenv("SIDETONE_DATABASE_URL_FILE", str(tmp_path / "url"))
        assert lines("up")[-1] == "The database is up to this version."
        assert all("is applied" in line for line in lines("--database", url, "status"))
        # What the command line says counts more.
        assert "there is no database at" in refusal("--data", tmp_path / "absent", "status")


def test_a_database_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    for where in (("--data", tmp_path / "data"), ("--database", tmp_path / "absent.db")):
        assert "there is no database at" in refusal(*where, "status")
        assert "there is no database at" in refusal(*where, "down")
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_use_by_a_server_is_left_alone(tmp_path: Path) -> None:
    lines("--data", tmp_path, "up")
    with opened(tmp_path):
        assert "is in use by another Sidetone server" in refusal("--data", tmp_path, "down")


def test_a_password_in_a_wrong_url_is_not_repeated() -> None:
    line = refusal("--database", "postgresql://ada:hunter2@127.0.0.1:1/sidetone", "status")
    assert "cannot open the PostgreSQL database" in line
    assert "hunter2" not in line
