import asyncio
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sidetone.desktop.infrastructure.importing import imported, imported_whole, standing_in

# A module that takes a while, and notes when it begins and when it is there.
_SLOW = """
import time, import_notes
import_notes.heard.append("begins")
time.sleep(0.2)
import_notes.heard.append("is there")
"""


async def test_what_is_asked_for_at_once_is_imported_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = ModuleType("import_notes")
    heard: list[str] = []
    notes.__dict__["heard"] = heard
    monkeypatch.setitem(sys.modules, "import_notes", notes)
    monkeypatch.syspath_prepend(str(tmp_path))
    names = ["slow_one", "slow_other"]
    for name in names:
        (tmp_path / f"{name}.py").write_text(_SLOW)
    modules = await asyncio.gather(*map(imported, names))
    assert [module.__name__ for module in modules] == names
    assert heard == ["begins", "is there"] * 2


def test_a_module_stands_in_for_one_that_is_not_loaded_and_for_no_longer_than_asked() -> None:
    other = ModuleType("stands_in")
    with standing_in({"stands_in": other, "no_such_thing": None, "pytest": None}):
        assert sys.modules["stands_in"] is other
        assert sys.modules["pytest"] is pytest
        with pytest.raises(ModuleNotFoundError):
            __import__("no_such_thing")
    assert not {"stands_in", "no_such_thing"} & set(sys.modules)


async def test_a_module_that_leaves_parts_until_they_are_asked_for_is_imported_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "asked_for_part.py").write_text("")
    (tmp_path / "left_for_later.py").write_text(
        "def __dir__(): return ['part']\n"
        "def __getattr__(name):\n    import asked_for_part\n    return asked_for_part\n"
    )
    await imported("left_for_later")
    assert "asked_for_part" not in sys.modules
    await imported_whole("left_for_later")
    assert "asked_for_part" in sys.modules
