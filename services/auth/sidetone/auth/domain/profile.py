"""What people say of themselves."""

import unicodedata

from sidetone.protocol.refusals import Invalid

DISPLAY_NAME_LENGTH_MAX = 32
BIO_LENGTH_MAX = 500

# What may stand in a bio although it is a control character.
_BREAKS = frozenset("\n")
# Joiners make emoji of several characters; other format characters turn the text around.
_JOINERS = frozenset("\u200c\u200d")


def display_name_of(text: str) -> str:
    """Return the display name that *text* spells; empty: the name will do. Raises ``Invalid``.

    >>> display_name_of("  Ada   of Lovelace ")
    'Ada of Lovelace'
    """
    if len(text) > 4 * DISPLAY_NAME_LENGTH_MAX:
        raise _too_long("display name", DISPLAY_NAME_LENGTH_MAX)
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if len(name) > DISPLAY_NAME_LENGTH_MAX:
        raise _too_long("display name", DISPLAY_NAME_LENGTH_MAX)
    _require_readable(name, "display name")
    return name


def bio_of(text: str) -> str:
    """Return *text* as a bio: a few lines of anything that can be read. Raises ``Invalid``."""
    if len(text) > 4 * BIO_LENGTH_MAX:
        raise _too_long("bio", BIO_LENGTH_MAX)
    bio = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if len(bio) > BIO_LENGTH_MAX:
        raise _too_long("bio", BIO_LENGTH_MAX)
    _require_readable(bio, "bio")
    return bio


def _require_readable(text: str, what: str) -> None:
    if not all(_is_readable(character) for character in text):
        raise Invalid("text_unreadable", f"the {what} has characters that cannot be shown")


def _is_readable(character: str) -> bool:
    if character in _BREAKS or character in _JOINERS:
        return True
    # Control, format, surrogate, private use and unassigned characters.
    return unicodedata.category(character)[0] != "C"


def _too_long(what: str, length_max: int) -> Invalid:
    return Invalid("text_too_long", f"a {what} has at most {length_max} characters")
