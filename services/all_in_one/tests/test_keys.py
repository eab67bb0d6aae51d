"""``sidetone keys`` as an operator meets it."""

import sqlite3
from pathlib import Path

from click.testing import CliRunner

from sidetone.all_in_one.__main__ import main
from sidetone.all_in_one.data_folder import opened
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity


def test_the_next_key_is_made_and_the_old_one_stays(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    assert CliRunner().invoke(main, ["migrate", *place, "up"]).exit_code == 0
    for _ in range(2):
        result = CliRunner().invoke(main, ["keys", *place, "rotate"])
        assert result.exit_code == 0
        assert "signs from tomorrow on" in result.output
    with sqlite3.connect(tmp_path / "sidetone.sqlite3") as database:
        (count,) = database.execute(
            "SELECT count(*) FROM auth_keys WHERE purpose LIKE '%token%'"
        ).fetchone()
    database.close()
    # One was made when the keys were first looked for.
    assert count == 3


def test_a_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["keys", "--data", str(tmp_path), "rotate"])
    assert result.exit_code == 1
    assert "there is no database" in result.output


def test_keys_change_while_the_server_runs(tmp_path: Path) -> None:
    place = ["--data", str(tmp_path)]
    assert CliRunner().invoke(main, ["migrate", *place, "up"]).exit_code == 0
    with opened(tmp_path):
        for command in ("rotate", "rotate-tickets"):
            result = CliRunner().invoke(main, ["keys", *place, command])
            assert result.exit_code == 0, result.output
        refused = CliRunner().invoke(main, ["keys", *place, "replace-identity", "--yes"])
        assert "there is no server's key" in refused.output
    with sqlite3.connect(tmp_path / "sidetone.sqlite3") as database:
        kids = database.execute("SELECT kid FROM ticket_keys ORDER BY kid").fetchall()
    database.close()
    assert kids == [(1,), (2,)]


def test_the_server_gets_another_identity_only_while_it_stands_still(tmp_path: Path) -> None:
    before = Identity.open(tmp_path / "tls", [], SystemClock().now_ms())
    command = ["keys", "--data", str(tmp_path), "replace-identity", "--yes"]
    with opened(tmp_path):
        assert "in use" in CliRunner().invoke(main, command).output
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    after = Identity.read(tmp_path / "tls")
    assert after.spki_sha256 != before.spki_sha256
    assert Identity.read(tmp_path / "tls-replaced").spki_sha256 == before.spki_sha256
    assert "move it away first" in CliRunner().invoke(main, command).output
