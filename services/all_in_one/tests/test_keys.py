"""``sidetone keys`` as an operator meets it."""

import sqlite3
from pathlib import Path

from click.testing import CliRunner

from sidetone.all_in_one.__main__ import main


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
