import asyncio
import sys
import time
from pathlib import Path

import pytest

from sidetone.desktop.infrastructure.importing import imported


class SlowDisk:
    """Finds nothing itself, and takes so long for the package that its module is asked for."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "round_robin":
            time.sleep(0.2)


async def test_a_package_and_a_module_of_it_are_imported_although_both_are_asked_for_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "round_robin"
    package.mkdir()
    (package / "__init__.py").write_text("import round_robin.bird")
    (package / "bird.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", [SlowDisk, *sys.meta_path])
    whole, part = await asyncio.gather(imported("round_robin"), imported("round_robin.bird"))
    assert whole.bird is part
