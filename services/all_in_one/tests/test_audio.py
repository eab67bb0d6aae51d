import json
from pathlib import Path

from click.testing import CliRunner

from sidetone.all_in_one.commands.audio import audio


def test_the_doctor_tells_and_writes_down_what_it_found(tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    result = CliRunner().invoke(audio, ["doctor", "--seconds", "1.5", "--json", str(file)])
    assert result.exit_code == 0, result.output
    assert "Test voice: " in result.stdout
    assert "Priority: " in result.stdout
    assert json.loads(file.read_text("utf-8"))["test"]["voice"]["packets_received"] > 100


def test_a_file_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "found.json"
    result = CliRunner().invoke(audio, ["doctor", "--seconds", "1", "--json", str(file)])
    assert result.exit_code == 1
    assert "cannot be written: No such file or directory." in result.stderr
