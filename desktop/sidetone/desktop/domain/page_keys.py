"""What the page calls keys, in the words of ``hotkeys``. Pure."""

from collections.abc import Mapping
from typing import Final

_NAMES: Final[Mapping[str, str]] = {
    "escape": "esc",
    "control": "ctrl",
    "meta": "cmd",
    "altgraph": "alt_gr",
    "alt_graph": "alt_gr",
    "+": "plus",
}
_SIDED: Final = frozenset({"control", "shift", "alt", "meta"})


def key_name(label: str) -> str:
    """Return the name of the key that the page calls *label*; both sides have one name.

    >>> key_name("Control Left"), key_name("V"), key_name("Page Up"), key_name("Arrow Left")
    ('ctrl', 'v', 'page_up', 'left')
    """
    if label == " ":
        return "space"
    words = label.lower().split()
    if len(words) > 1 and words[0] in _SIDED:
        words = words[:1]
    if words[:1] == ["arrow"]:
        words = words[1:]
    name = "_".join(words)
    return _NAMES.get(name, name)
