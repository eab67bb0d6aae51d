"""The emoji that everybody has: by groups, and by the names that Unicode gives them."""

import unicodedata
from functools import cache
from typing import Final

import msgspec


class Emoji(msgspec.Struct, frozen=True):
    """One emoji and what it is called, with other words that people look for."""

    text: str
    name: str
    words: str = ""


# First and last code points, by group; what has no name in them is left out.
_RANGES: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    "faces": ((0x1F600, 0x1F644), (0x1F910, 0x1F917), (0x1F920, 0x1F92F), (0x1F970, 0x1F97A),
              (0x1FAE0, 0x1FAE5), (0x1F479, 0x1F47F), (0x1F48B, 0x1F48C), (0x1F493, 0x1F49F),
              (0x1F4A2, 0x1F4A9), (0x1F4AB, 0x1F4AC), (0x1F4AF, 0x1F4AF), (0x1F5A4, 0x1F5A4),
              (0x1F90D, 0x1F90E), (0x1F9E1, 0x1F9E1)),
    "people": ((0x1F442, 0x1F450), (0x1F466, 0x1F478), (0x1F481, 0x1F487), (0x1F4AA, 0x1F4AA),
               (0x1F590, 0x1F590), (0x1F595, 0x1F596), (0x1F645, 0x1F64F), (0x1F918, 0x1F91F),
               (0x1F926, 0x1F926), (0x1F937, 0x1F937), (0x1F9D0, 0x1F9D1), (0x1F440, 0x1F440)),
    "nature": ((0x1F400, 0x1F43E), (0x1F980, 0x1F9AE), (0x1F330, 0x1F344), (0x1F300, 0x1F30A),
               (0x1F30B, 0x1F320), (0x2B50, 0x2B50), (0x26A1, 0x26A1), (0x2728, 0x2728),
               (0x1F4A7, 0x1F4A8), (0x1F525, 0x1F525)),
    "food": ((0x1F345, 0x1F37F), (0x1F950, 0x1F96F), (0x1F9C0, 0x1F9CB), (0x2615, 0x2615)),
    "play": ((0x1F380, 0x1F393), (0x1F3A0, 0x1F3C4), (0x1F3C6, 0x1F3CA), (0x1F3CF, 0x1F3D3),
             (0x1F945, 0x1F945), (0x1F947, 0x1F94F), (0x26BD, 0x26BE), (0x1F9E9, 0x1F9E9)),
    "places": ((0x1F680, 0x1F6A4), (0x1F6F4, 0x1F6FC), (0x1F3E0, 0x1F3F0), (0x1F5FB, 0x1F5FF),
               (0x26F2, 0x26F3), (0x26F5, 0x26F5), (0x26FA, 0x26FA), (0x2708, 0x2708)),
    "things": ((0x231A, 0x231B), (0x1F451, 0x1F465), (0x1F484, 0x1F484), (0x1F48A, 0x1F48A),
               (0x1F48D, 0x1F48E), (0x1F4A0, 0x1F4A1), (0x1F4B0, 0x1F4FC), (0x1F50A, 0x1F517),
               (0x1F526, 0x1F52E), (0x1F6E0, 0x1F6E1), (0x1F9EF, 0x1F9FF)),
    "signs": ((0x2705, 0x2705), (0x274C, 0x274C), (0x2753, 0x2755), (0x2757, 0x2757),
              (0x2795, 0x2797), (0x26A0, 0x26A0), (0x26D4, 0x26D4), (0x1F6AB, 0x1F6AF),
              (0x1F500, 0x1F509), (0x1F51E, 0x1F525), (0x1F534, 0x1F53D), (0x1F7E0, 0x1F7EB),
              (0x267B, 0x267B), (0x2611, 0x2611), (0x2714, 0x2714), (0x1F550, 0x1F55B)),
}  # fmt: skip
GROUPS: Final = tuple(_RANGES)
# What people call them, beside what Unicode does.
_CALLED: Final = {
    "👍": "thumbsup yes +1", "👎": "thumbsdown no -1", "😂": "joy lol haha", "🤣": "rofl lol",
    "🔥": "fire lit hot", "🎉": "tada party", "❤️": "heart love", "🙏": "pray thanks please",
    "👏": "clap bravo", "😭": "sob cry", "😀": "smile", "😍": "love", "🤔": "thinking hmm",
    "👀": "eyes look", "💯": "hundred 100", "🚀": "rocket", "✅": "check done yes", "❌": "x no",
    "😅": "sweat phew", "😎": "cool", "😉": "wink", "😢": "cry sad", "😡": "angry rage",
    "🥳": "party", "💀": "skull dead", "🤝": "deal", "👋": "wave hi hello bye", "💪": "strong",
    "⭐": "star", "✨": "sparkles", "🎮": "game", "🏆": "trophy win", "⚡": "zap",
    "🤯": "mindblown", "🙄": "eyeroll", "🤷": "shrug", "🤦": "facepalm", "😴": "sleep zzz",
    "💩": "poop", "☕": "coffee", "🍕": "pizza", "🍺": "beer", "🎂": "cake birthday", "🐛": "bug",
    "👑": "crown king", "🫡": "salute",
}  # fmt: skip
# What is drawn as an emoji only with the sign that asks for it.
_VARIED: Final = frozenset("❤⚠✈☑✔♻🖐🛠🛡")
FIRST_RECENT: Final = ("👍", "❤️", "😂", "🔥", "🎉", "👀")


@cache
def groups() -> dict[str, tuple[Emoji, ...]]:
    """Return all emoji by group."""
    found = {name: list(_within(ranges)) for name, ranges in _RANGES.items()}
    found["faces"].append(Emoji("❤️", "heart", _CALLED["❤️"]))
    return {name: tuple(each) for name, each in found.items()}


@cache
def named() -> tuple[Emoji, ...]:
    """Return all emoji once."""
    by_text = {emoji.text: emoji for group in groups().values() for emoji in group}
    return tuple(by_text.values())


def matching(word: str, most: int) -> list[Emoji]:
    """Return the emoji whose names hold *word*, best first.

    >>> [each.text for each in matching("thumbsup", 1)], [e.text for e in matching("tada", 1)]
    (['👍'], ['🎉'])
    """
    wanted = word.casefold().replace(" ", "_").strip("_:")
    ranked: list[tuple[int, int, Emoji]] = []
    for emoji in named():
        calls = (*emoji.words.split(), emoji.name)
        if wanted in calls:
            ranked.append((0, 0, emoji))
        elif any(call.startswith(wanted) for call in calls):
            ranked.append((1, len(emoji.name), emoji))
        elif wanted in emoji.name:
            ranked.append((2, len(emoji.name), emoji))
    return [emoji for *_, emoji in sorted(ranked, key=lambda each: each[:2])[:most]]


def name_of(text: str) -> str:
    """Return what an emoji is called; one that is not known is its own name."""
    return _by_text().get(text, text)


@cache
def _by_text() -> dict[str, str]:
    return {emoji.text: emoji.name for emoji in named()}


def _within(ranges: tuple[tuple[int, int], ...]) -> list[Emoji]:
    found: list[Emoji] = []
    for first, last in ranges:
        for code in range(first, last + 1):
            char = chr(code)
            name = unicodedata.name(char, "")
            if name and unicodedata.category(char) in {"So", "Sm", "Sk"}:
                text = f"{char}\ufe0f" if char in _VARIED else char
                words = _CALLED.get(text, "")
                found.append(Emoji(text, name.lower().replace(" ", "_").replace("-", "_"), words))
    return found
