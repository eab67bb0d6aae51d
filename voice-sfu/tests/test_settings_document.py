"""``docs/voice-nodes.md`` is what operators read, so the settings must agree."""

import re
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import FieldInfo

from sidetone.voice_sfu.settings import Settings

DOCUMENT = (Path(__file__).parents[2] / "docs" / "voice-nodes.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `SIDETONE_SFU_(\w+)` \| (?:`([^`]*)`)? ?\|", DOCUMENT, re.MULTILINE))
FIELDS = msgspec.structs.fields(Settings)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_setting_stands_there_with_its_default(field: FieldInfo) -> None:
    default = "" if field.required or field.default is None else str(field.default)
    assert ROWS[field.name.upper()] == default


def test_no_setting_stands_there_that_is_gone() -> None:
    assert {name.lower() for name in ROWS} == {field.name for field in FIELDS}
