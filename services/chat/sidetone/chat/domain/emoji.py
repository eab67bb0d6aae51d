"""What emoji of a server's own are called."""

import re

from sidetone.protocol.refusals import Invalid, NotFound

_NAME = re.compile(r"[A-Za-z0-9_]{2,32}")


def checked_emoji_name(text: str) -> str:
    """Return what is written between colons. Raises ``Invalid``.

    >>> checked_emoji_name("party_parrot")
    'party_parrot'
    """
    if not _NAME.fullmatch(text):
        raise Invalid("emoji_name_unsuitable", "an emoji's name has 2 to 32 of A-Z a-z 0-9 _")
    return text


def unknown_emoji() -> NotFound:
    """Return the refusal for emoji that are absent, or in another server."""
    return NotFound("emoji_unknown", "there is no such emoji in this server")
