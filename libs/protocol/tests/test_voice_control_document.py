"""``docs/voice-control.md`` is what others build clients from, so the types must agree."""

import re
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin
from uuid import UUID

import msgspec
import pytest

from sidetone.protocol.ids import Sender
from sidetone.protocol.voice_control import (
    KEY_PACKAGES_PER_MESSAGE_MAX,
    MESSAGE_BYTES_MAX,
    ClientMessage,
    Limits,
    Peer,
    SenderPackage,
    ServerMessage,
)

DOCUMENT = (Path(__file__).parents[3] / "docs" / "voice-control.md").read_text(encoding="utf-8")
NAMES = {bytes: "bytes", str: "text", int: "int", float: "float", bool: "bool", UUID: "uuid"}


def rows(heading: str) -> list[tuple[str, str]]:
    """Return the first two cells of each row of the table under *heading*."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [(name.strip().strip("`"), fields.strip()) for name, fields, _ in cells[2:]]


def row_of(kind: type[msgspec.Struct]) -> tuple[str, str]:
    name = kind.__struct_config__.tag or kind.__name__
    fields = msgspec.structs.fields(kind)
    return str(name), ", ".join(f"`{field.name}`: {called(field.type)}" for field in fields)


def called(type_: Any) -> str:
    """Return what the document calls *type_*."""
    if type_ is Sender:
        return "sender"
    if get_origin(type_) is list:
        return f"list of {called(get_args(type_)[0])}"
    if get_origin(type_) is UnionType:
        (present,) = [one for one in get_args(type_) if one is not NoneType]
        return f"{called(present)} or nil"
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return type_.__name__
    return NAMES[getattr(type_, "__supertype__", type_)]


@pytest.mark.parametrize(
    ("heading", "kinds"),
    [
        ("Client to node", get_args(ClientMessage)),
        ("Node to client", get_args(ServerMessage)),
        ("What the fields are made of", (Peer, Limits, SenderPackage)),
    ],
    ids=["up", "down", "parts"],
)
def test_the_tables_show_every_message_and_its_fields(
    heading: str, kinds: tuple[type[msgspec.Struct], ...]
) -> None:
    assert rows(heading) == [row_of(kind) for kind in kinds]


def test_the_limits_are_those_of_the_code() -> None:
    assert f"A length above {MESSAGE_BYTES_MAX} ends the connection" in DOCUMENT
    assert f"at most {KEY_PACKAGES_PER_MESSAGE_MAX} |" in DOCUMENT


def test_every_message_that_the_text_speaks_of_exists() -> None:
    tags = {row_of(kind)[0] for kind in [*get_args(ClientMessage), *get_args(ServerMessage)]}
    fields = set(re.findall(r"`(\w+)`:", DOCUMENT)) | {"type", "sender", "permissions", "uuid"}
    spoken = set(re.findall(r"`([a-z_]+)`", DOCUMENT))
    assert spoken - tags - fields == set()
