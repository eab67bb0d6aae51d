"""Fonts of this system for what the page's own has no letters for: emoji, Chinese and kin.

A browser draws the page by WebAssembly, which sees none of the system's fonts, and otherwise asks
a host on the internet for them. They are large, so they are found and not brought along.
"""

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

EMOJI: Final = "emoji"
CJK: Final = "cjk"

_FC_SECONDS_MAX: Final = 5
# A code point that only such a font has, in hexadecimal, as fontconfig wants it.
_TELLING: Final = {EMOJI: "1f9e1", CJK: "4f60"}
_WINDOWS: Final = Path("C:/Windows/Fonts")
_APPLE: Final = Path("/System/Library/Fonts")
_KNOWN: Final = {
    "win32": {EMOJI: [_WINDOWS / "seguiemj.ttf"], CJK: [_WINDOWS / "msyh.ttc"]},
    "darwin": {
        EMOJI: [_APPLE / "Apple Color Emoji.ttc"],
        CJK: [_APPLE / "PingFang.ttc", _APPLE / "Hiragino Sans GB.ttc"],
    },
}
_READABLE: Final = {".ttf", ".ttc", ".otf"}


@cache
def system_fonts() -> dict[str, Path]:
    """Return a font file for each kind of letters that this system has; asks once. Blocks."""
    if sys.platform in _KNOWN:
        places = _KNOWN[sys.platform]
    else:
        places = {kind: _having(code) for kind, code in _TELLING.items()}
    found = {kind: next(filter(Path.is_file, paths), None) for kind, paths in places.items()}
    return {kind: path for kind, path in found.items() if path is not None}


def _having(code: str) -> list[Path]:
    """Ask fontconfig for the fonts that have a code point, upright sans-serif ones first."""
    fc_list = shutil.which("fc-list")
    if fc_list is None:
        return []
    command = [fc_list, "--format", "%{file}\n", f":charset={code}"]
    try:
        asked = subprocess.run(  # noqa: S603 (no shell, and nothing of it is given by others)
            command, capture_output=True, text=True, timeout=_FC_SECONDS_MAX, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    paths = {Path(line) for line in asked.stdout.splitlines()}
    return sorted((path for path in paths if path.suffix in _READABLE), key=_rank)


def _rank(path: Path) -> tuple[bool, bool, str]:
    name = path.name.lower()
    return ("color" not in name and "sans" not in name, "regular" not in name, name)
