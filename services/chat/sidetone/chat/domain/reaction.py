"""Which answers to a message are reactions."""

import re
import unicodedata
from uuid import UUID

from sidetone.community import Community
from sidetone.protocol.refusals import Conflict, Invalid

KINDS_MAX = 20
_LENGTH_MAX = 24

# Symbols, skin tones, and what joins or varies them; the three are punctuation to Unicode.
_PARTS = frozenset({"So", "Sm", "Sk", "Mn", "Me"})
_OF_PUNCTUATION = frozenset("\u203c\u2049\u3030")
_JOINERS = frozenset("\u200d") | {chr(tag) for tag in range(0xE0020, 0xE0080)}
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")


def checked_emoji(text: str, community: Community) -> str:
    """Return *text* if it is an emoji: a character, or the id of one of the server's own.

    Raises ``Invalid``.
    """
    emoji = checked_form(text)
    if not _is_emoji(emoji) and UUID(emoji) not in community.emoji:
        raise _unknown_emoji()
    return emoji


def checked_form(text: str) -> str:
    """Return *text* as reactions are stored, if it could be one. Raises ``Invalid``.

    For those that are there already: their emoji may be the server's no more.
    """
    if _is_emoji(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        raise _unknown_emoji() from None


def _unknown_emoji() -> Invalid:
    return Invalid("emoji_unknown", "react with one emoji, or the id of one of this server")


def _is_emoji(text: str) -> bool:
    """Return whether *text* looks like one emoji; new ones of Unicode need no update of ours."""
    if _KEYCAP.fullmatch(text):
        return True
    shown = [char for char in text if _is_shown(char)]
    return (
        len(shown) > 0
        and len(text) <= _LENGTH_MAX
        and all(_is_shown(char) or _is_joint(char) for char in text)
        and _is_shown(text[0])
    )


def _is_shown(char: str) -> bool:
    return unicodedata.category(char) in {"So", "Sm"} or char in _OF_PUNCTUATION


def _is_joint(char: str) -> bool:
    return unicodedata.category(char) in _PARTS or char in _JOINERS


def too_many_kinds() -> Conflict:
    """Return the refusal of one more kind of reaction."""
    return Conflict(
        "reactions_full", f"a message holds at most {KINDS_MAX} kinds; join one that is there"
    )
