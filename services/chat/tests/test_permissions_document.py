"""docs/permissions.md lists every permission with its bit, and where a channel can set it."""

import re
from pathlib import Path

from sidetone.chat.domain.channel import checked_level
from sidetone.permissions import Permission
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import ChannelKind

DOCUMENT = Path(__file__).parents[3] / "docs" / "permissions.md"
ROW = re.compile(r"^\| ([A-Z_]+) \| (\d+) \| (.+) \|$", re.MULTILINE)


def settable(bit: Permission, kind: ChannelKind) -> bool:
    try:
        checked_level(kind, int(bit), 0)
    except Invalid:
        return False
    return True


def where(bit: Permission) -> str:
    if settable(bit, "text"):
        return "yes"
    return "to talk in" if settable(bit, "voice") else "no"


def test_the_table_is_what_the_code_says() -> None:
    rows = [(name, int(bit), place) for name, bit, place in ROW.findall(DOCUMENT.read_text())]
    assert rows == [
        (bit.name, bit.value.bit_length() - 1, where(bit)) for bit in sorted(Permission)
    ]
