"""The demo as a newcomer runs it, shortened; how fast it is belongs to the demo's own report."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.all_in_one.tests.test_commands import only_line, sidetone


def demo(folder: Path, *arguments: object) -> tuple[str, dict[str, Any]]:
    """Run a short demo; return what it printed and its report."""
    report = folder / "report.json"
    result = sidetone("demo", "--seconds", 4, "--joins", 2, "--json", report, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout, json.loads(report.read_text())


@pytest.mark.alone
def test_everybody_is_heard_and_nobody_else_can_listen(tmp_path: Path) -> None:
    printed, report = demo(tmp_path, "--record", tmp_path / "ears")
    assert report["delivered_ratio"] > 0.95
    assert report["stoi"]["min"] > 0.6
    assert report["member_opened_frames"] == report["frames_tried"] > 500
    assert report["sfu_opened_frames"] == report["removed_member_opened_frames"] == 0
    assert report["removed_member_frames_tried"] > 0
    assert report["codes_equal"]
    assert report["joins_heard"] == report["joins"] == 2
    assert {(pair["speaker"], pair["listener"]) for pair in report["pairs"]} == {
        ("Ada", "Ben"),
        ("Ada", "Cho"),
        ("Ben", "Ada"),
        ("Ben", "Cho"),
    }
    assert "Proof: of" in printed
    assert (tmp_path / "ears" / "heard-by-Cho.wav").stat().st_size > 48_000 * 2 * 4


@pytest.mark.alone
def test_what_the_network_loses_is_lost_and_partly_repaired(tmp_path: Path) -> None:
    _, report = demo(tmp_path, "--loss", 10, "--jitter", 5)
    assert 0.83 < report["delivered_ratio"] < 0.96
    assert report["fec_recovered"] > 0
    assert report["member_opened_frames"] == report["frames_tried"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--seconds", "soon"), "not a valid float"),
        (("--seconds", "0"), "range"),
        (("--loss", "200"), "range"),
        (("--json", "/nowhere/report.json"), "/nowhere/report.json"),
    ],
)
def test_wrong_options_are_told_before_anything_starts(
    arguments: tuple[str, str], told: str
) -> None:
    result = sidetone("demo", *arguments)
    assert result.returncode != 0
    assert told in result.stderr
    assert not re.search("Traceback|starting", result.stdout + result.stderr)


def test_a_record_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "ears"
    file.write_text("not a folder")
    assert str(file) in only_line(sidetone("demo", "--record", file))
