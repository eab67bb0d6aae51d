"""What reaches the log, and what must not."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import structlog

from sidetone.runtime import logs


class LoggedIn(msgspec.Struct):
    access_token: str


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator["Lines"]:
    root = logging.getLogger()
    level = root.level
    yield Lines(capsys)
    # Pytest brings its own handlers and streams to each phase of a test; ours is to go.
    for handler in [one for one in root.handlers if type(one) is logging.StreamHandler]:
        root.removeHandler(handler)
    root.setLevel(level)
    structlog.reset_defaults()


class Lines:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def read(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_time_level_and_bound_request(lines: Lines) -> None:
    logs.configure("json", "info")
    with structlog.contextvars.bound_contextvars(request="r1"):
        structlog.get_logger("sidetone.test").info("room_opened", room=UUID(int=5), members=3)
    [line] = lines.read()
    assert line["event"] == "room_opened"
    assert line["level"] == "info"
    assert line["request"] == "r1"
    assert line["room"] == str(UUID(int=5))
    assert line["members"] == 3
    assert "timestamp" in line


def test_fields_that_name_a_secret_are_redacted_however_deep(lines: Lines) -> None:
    logs.configure("json", "info")
    structlog.get_logger().info(
        "login",
        refresh_token="s3cret",
        Password="s3cret",
        private_key="s3cret",
        nested={"headers": {"Authorization": "s3cret"}, "list": [{"ticket": "s3cret"}]},
        keys_known=3,
    )
    [line] = lines.read()
    assert "s3cret" not in json.dumps(line)
    assert line["keys_known"] == 3


def test_bytes_and_objects_show_nothing_of_themselves(lines: Lines) -> None:
    logs.configure("json", "info")
    structlog.get_logger().info(
        "frame", body=b"s3cret", answer=LoggedIn("s3cret"), path=Path("/data"), many=[b"s3cret"]
    )
    [line] = lines.read()
    assert line["body"] == "[6 bytes]"
    assert line["answer"] == "<LoggedIn>"
    assert line["many"] == ["[6 bytes]"]
    assert line["path"] == str(Path("/data"))


def test_a_cycle_does_not_hang_the_log(lines: Lines) -> None:
    logs.configure("json", "info")
    cycle: dict[str, object] = {}
    cycle["again"] = cycle
    structlog.get_logger().info("cycle", value=cycle)
    assert "[deeper]" in json.dumps(lines.read())


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_has_no_local_variables(
    form: logs.Form, capsys: pytest.CaptureFixture[str], lines: Lines
) -> None:
    logs.configure(form, "info")
    hidden = "s3c" + "ret"
    try:
        int("the cause")
    except ValueError:
        structlog.get_logger().exception("failed", length=len(hidden))
    written = capsys.readouterr().err
    assert "the cause" in written
    assert "test_logs.py" in written
    assert hidden not in written


def test_libraries_log_through_the_same_form(lines: Lines) -> None:
    logs.configure("json", "info")
    logging.getLogger("some.vendor").warning("careful: %s", 5)
    logging.getLogger("uvicorn.error").info("Started server process")
    [line] = lines.read()
    assert line["event"] == "careful: 5"
    assert line["level"] == "warning"


def test_what_is_below_the_level_is_left_out(lines: Lines) -> None:
    logs.configure("json", "info")
    structlog.get_logger().debug("noise")
    assert lines.read() == []
