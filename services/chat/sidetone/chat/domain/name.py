"""What servers, roles, channels and members may be called, and what may be written about them."""

import unicodedata

from sidetone.protocol.refusals import Invalid

NAME_LENGTH_MAX = 100
DESCRIPTION_LENGTH_MAX = 1_024


def checked_name(text: str) -> str:
    """Return *text* trimmed and in composed form (NFC). Raises ``Invalid``.

    >>> checked_name("  The  Tavern ")
    'The Tavern'
    """
    return checked_text(text, "name", NAME_LENGTH_MAX)


def checked_description(text: str) -> str:
    """Return what a server or a channel is for, in one line. Raises ``Invalid``."""
    return checked_text(text, "description", DESCRIPTION_LENGTH_MAX, empty=True)


def checked_text(text: str, what: str, length_max: int, *, empty: bool = False) -> str:
    """Return one line trimmed and in composed form (NFC). Raises ``Invalid``.

    Characters that show as nothing or turn the line round are refused: a list of channels is
    read by everybody, and a name must not be able to imitate another one or to hide.
    """
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    if not line and not empty:
        raise Invalid(f"{what}_empty", f"give a {what} of at least one character")
    if len(line) > length_max:
        raise Invalid(f"{what}_too_long", f"a {what} has at most {length_max} characters")
    if not line.isprintable():
        raise Invalid(f"{what}_unprintable", f"a {what} holds only characters that can be seen")
    return line
