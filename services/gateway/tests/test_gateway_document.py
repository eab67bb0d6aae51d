"""``docs/gateway.md`` is what others build clients from, so the types and limits must agree."""

from pathlib import Path
from typing import get_args

import msgspec
import pytest

from sidetone.gateway.domain.policy import DEFAULT
from sidetone.gateway.interface.upgrade import PATH
from sidetone.protocol.events import ClientEvent
from sidetone.protocol.frames import ClientFrame, CloseCode, ServerFrame

DOCUMENT = (Path(__file__).parents[3] / "docs" / "gateway.md").read_text(encoding="utf-8")
TEXT = " ".join(DOCUMENT.split())


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table under *heading*."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize(
    ("heading", "kinds"),
    [
        ("Client to server", get_args(ClientFrame)),
        ("Server to client", get_args(ServerFrame)),
        ("Events", get_args(ClientEvent)),
    ],
    ids=["up", "down", "events"],
)
def test_the_tables_show_everything_and_its_fields(
    heading: str, kinds: tuple[type[msgspec.Struct], ...]
) -> None:
    shown = [(tag, fields) for tag, fields, _ in rows(heading)]
    assert shown == [
        (
            f"`{kind.__struct_config__.tag}`",
            ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(kind)),
        )
        for kind in kinds
    ]


def test_every_close_code_is_explained() -> None:
    shown = [(code, name) for code, name, _, _ in rows("Why the server hangs up")]
    assert shown == [(str(code.value), code.name) for code in CloseCode]


def test_the_limits_are_those_of_the_code() -> None:
    seconds = {
        DEFAULT.identify_ms: "Within {} seconds the client says",
        DEFAULT.silence_ms: "After {} seconds without a word",
        DEFAULT.kept_ms: "outlives its socket by {} seconds",
    }
    for milliseconds, sentence in seconds.items():
        assert sentence.format(milliseconds // 1000) in TEXT
    assert f"the last {DEFAULT.kept_events} events" in TEXT
    assert f"or {DEFAULT.kept_bytes // 1024} KiB of them" in TEXT
    assert f"A frame above {DEFAULT.frame_bytes_max // 1024} KiB" in TEXT
    assert f"more than {DEFAULT.frames_per_minute} frames" in TEXT
    assert f"or {DEFAULT.identifies_per_minute} sessions, in a minute" in TEXT
    assert f"the account has {DEFAULT.sessions_per_user} sessions" in TEXT
    assert f"at `{PATH}` of" in TEXT
