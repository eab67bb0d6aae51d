"""The command line as a user meets it: each wrong step is one clear line and a status."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidetone.all_in_one.__main__ import main
from sidetone.all_in_one.commands.service import SERVICES
from tests.load.sfu_stage import free_ports_in_a_row

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "libs" / "e2ee" / "tests" / "vx1.json"
SIDETONE = [sys.executable, "-m", "sidetone.all_in_one"]


def sidetone(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SIDETONE, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def invoked(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Return the same without a process, for what ends before it configures one."""
    result = CliRunner().invoke(main, [*map(str, arguments)])
    # Where a command ends with words instead of a number, Click prints them itself.
    said = result.stderr or result.stdout
    return subprocess.CompletedProcess(arguments, result.exit_code, result.stdout, said)


@contextmanager
def serving(
    data: Path, *arguments: str, log: Path = Path(os.devnull), **environment: str
) -> Iterator[tuple[str, int]]:
    """Run a server; give its address and process id; end it if the test has not."""
    where = ["--data", str(data), "--host", "127.0.0.1", "--port", "0"]
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [*SIDETONE, "serve", *where, *arguments],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **environment},
        )
    with process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Sidetone is up: sidetone://"), line
        try:
            yield line.split()[-1], process.pid
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)


def only_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode != 0
    (line,) = result.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_names_the_setting_that_it_lacks(name: str) -> None:
    line = only_line(invoked("service", name))
    prefix = f"SIDETONE_{name.replace('-', '_').upper()}"
    assert line.startswith(f"sidetone: {prefix}_DATABASE_URL is not set; ")


def test_the_voice_nodes_name_the_setting_that_they_lack() -> None:
    line = only_line(invoked("sfu", "--workers", "1"))
    assert line.startswith("sidetone: SIDETONE_SFU_BUS is not set; ")


def test_the_vectors_hold() -> None:
    result = invoked("vectors", VECTORS)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[:4] == [
        "key packages 3",
        "commits 4",
        "frames 33",
        "rejections 6",
    ]


def test_a_flipped_digit_in_the_vectors_is_named(tmp_path: Path) -> None:
    document = json.loads(VECTORS.read_text())
    digest = document["epochs"][2]["confirm"]
    document["epochs"][2]["confirm"] = ("0" if digest[0] != "0" else "1") + digest[1:]
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(document))
    assert "confirm" in only_line(invoked("vectors", changed))


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"\xff\xfe"])
def test_a_file_that_holds_no_vectors_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "none.json"
    if content is not None:
        file.write_bytes(content)
    assert only_line(invoked("vectors", file))


def test_a_data_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("not a folder")
    line = only_line(sidetone("serve", "--data", file, "--port", "0", "--host", "127.0.0.1"))
    assert str(file) in line
    assert "--data" in line
    assert file.read_text() == "not a folder"


def test_a_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = sidetone("serve", "--data", tmp_path, "--host", "127.0.0.1", "--port", port)
    assert str(port) in only_line(result)


def test_a_udp_port_in_use_is_one_line(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        first = free_ports_in_a_row(socket.SOCK_DGRAM)
        taken.bind(("127.0.0.1", first + 1))
        where = ("--data", tmp_path, "--host", "127.0.0.1", "--port", first)
        result = sidetone("serve", *where, "--workers", 2)
    line = only_line(result)
    assert "voice worker 2 of 2 did not start" in line
    assert f"UDP port {first + 1} of 127.0.0.1" in line


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--workers", "some"), "SIDETONE_SFU_WORKERS cannot be used"),
        (("--workers", "-1"), "SIDETONE_SFU_WORKERS cannot be used"),
        (("--workers", "3", "--port", "65534"), "choose a lower port or fewer --workers"),
    ],
)
def test_workers_that_cannot_be_are_one_line(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    assert told in only_line(sidetone("serve", "--data", tmp_path, *arguments))


def test_a_second_server_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path):
        line = only_line(sidetone("serve", "--data", tmp_path, "--port", "0"))
    assert "in use" in line


def test_a_broken_database_is_one_line_and_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "sidetone.sqlite3"
    database.write_bytes(b"this is no database" * 100)
    assert str(database) in only_line(sidetone("serve", "--data", tmp_path, "--port", "0"))
    assert database.read_bytes() == b"this is no database" * 100


def test_a_setting_of_the_wrong_type_is_one_line(tmp_path: Path) -> None:
    result = sidetone(
        "serve", "--data", tmp_path, "--port", "0", SIDETONE_REGISTRATIONS_PER_MINUTE="many"
    )
    assert "SIDETONE_REGISTRATIONS_PER_MINUTE" in only_line(result)


def test_an_unknown_command_says_so() -> None:
    assert "No such command" in invoked("server").stderr
