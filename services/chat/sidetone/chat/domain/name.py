"""What servers and channels may be called."""

import unicodedata

from sidetone.protocol.refusals import Invalid

NAME_LENGTH_MAX = 100


def checked_name(text: str) -> str:
    """Return *text* trimmed and in composed form (NFC). Raises ``Invalid``.

    Characters that show as nothing or turn the line round are refused: a list of channels is
    read by everybody, and a name must not be able to imitate another one or to hide.

    >>> checked_name("  The  Tavern ")
    'The Tavern'
    """
    name = unicodedata.normalize("NFC", " ".join(text.split()))
    if not name:
        raise Invalid("name_empty", "give it a name of at least one character")
    if len(name) > NAME_LENGTH_MAX:
        raise Invalid("name_too_long", f"a name has at most {NAME_LENGTH_MAX} characters")
    if not name.isprintable():
        raise Invalid("name_unprintable", "a name holds only characters that can be seen")
    return name
