"""Reads the catalogues of translations, and asks the system for its language.

The ``.po`` files are read as they are written by translators: there is nothing to compile and
nothing that can be stale. Only what the catalogues of this package use of the format is known
(https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html).
"""

import ctypes
import locale
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sidetone.desktop.domain.wording import (
    ENGLISH,
    Catalogue,
    Language,
    always_one,
    fitting,
    one_or_many,
)

FOLDER: Final = Path(__file__).parent.parent / "locale"
PLURALS: Final[dict[str, Callable[[int], int]]] = {
    "nplurals=1; plural=0;": always_one,
    "nplurals=2; plural=(n != 1);": one_or_many,
}
_FIELD: Final = re.compile(r'(?:(msg(?:ctxt|id|id_plural|str|str\[\d\]))\s+)?"(.*)"')
# The context of what ``told`` says.
REFUSAL: Final = "refusal"
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class DamagedError(ValueError):
    """A catalogue that does not follow the format: a fault of this package."""


def load(language: Language) -> Catalogue:
    """Return the words of *language*."""
    if language == "en":
        return ENGLISH
    path = FOLDER / language / "LC_MESSAGES" / "sidetone.po"
    return read(language, path.read_text(encoding="utf-8"))


def system_language() -> Language:
    """Return the language that the system speaks to its user."""
    if sys.platform == "win32":
        code = ctypes.windll.kernel32.GetUserDefaultUILanguage()
        return fitting(locale.windows_locale.get(code, ""))
    wishes = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return fitting(next(filter(None, wishes), ""))


def read(language: Language, text: str) -> Catalogue:
    """Return what a ``.po`` file says; what is fuzzy or not translated is said in English.

    Raises ``DamagedError`` with the line that is not understood.
    """
    forms: dict[str, tuple[str, ...]] = {}
    refusals: set[str] = set()
    for entry in _entries(text):
        translated = tuple(part for key, part in entry.items() if key.startswith("msgstr"))
        if translated and all(translated):
            forms[entry.get("msgid", "")] = translated
            if entry.get("msgctxt") == REFUSAL:
                refusals.add(entry.get("msgid", ""))
    header = "".join(forms.pop("", ()))
    for rule, plural in PLURALS.items():
        if f"Plural-Forms: {rule}\n" in header:
            return Catalogue(language, forms, plural, frozenset(refusals))
    raise DamagedError(f"the catalogue {language} has none of these plural forms: {[*PLURALS]}")


def _entries(text: str) -> Iterator[dict[str, str]]:
    """Yield the fields of each entry that is in use."""
    for block in re.split(r"\n\s*\n", text):
        lines = block.strip().splitlines()
        if any(line.startswith("#,") and "fuzzy" in line for line in lines):
            continue
        entry: dict[str, str] = {}
        name = ""
        for line in lines:
            if line.startswith("#"):
                continue
            field = _FIELD.fullmatch(line.strip())
            if field is None or not (field[1] or name):
                raise DamagedError(f"a catalogue has a line that is not understood: {line}")
            name = field[1] or name
            entry[name] = entry.get(name, "") + _ESCAPE.sub(_unescaped, field[2])
        if entry:
            yield entry


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1] not in _ESCAPED:
        raise DamagedError(f"a catalogue has an escape that is not understood: {escape[0]}")
    return _ESCAPED[escape[1]]
