"""Accounts and their names."""

import unicodedata

import msgspec

from sidetone.protocol.accounts import User
from sidetone.protocol.ids import FileId, UserId
from sidetone.protocol.refusals import Invalid

NAME_LENGTH_MIN = 2
NAME_LENGTH_MAX = 32

_PUNCTUATION = frozenset("_-.")
_RULE = (
    f"a name has {NAME_LENGTH_MIN} to {NAME_LENGTH_MAX} letters, digits, '_', '-' and '.', "
    "and begins and ends with a letter or a digit"
)


class Account(msgspec.Struct, frozen=True):
    """Somebody who can log in; ``password_hash`` is Argon2's encoded form.

    It is empty where there is no password: bots, and people whom a provider logs in. *version*
    counts the edits of what others see.
    """

    id: UserId
    name: str
    password_hash: str
    display_name: str = ""
    bio: str = ""
    avatar: FileId | None = None
    version: int = 1
    bot: bool = False
    created_at_ms: int = 0

    def user(self) -> User:
        """Return what everybody may know."""
        return User(self.id, self.name, self.display_name, self.avatar, self.bio, self.bot)


def name_of(text: str) -> str:
    """Return the name that *text* spells, in compatibility form (NFKC), as it will be shown.

    Spaces around it are dropped. Raises ``Invalid``: control and direction characters, spaces and
    emoji inside, and names that look empty have no place in a list of members.

    >>> name_of(" Ａｄａ.L ")
    'Ada.L'
    """
    # Normalising can lengthen a character eighteenfold: bound the input first.
    if len(text) > 2 * NAME_LENGTH_MAX:
        raise Invalid("name_invalid", _RULE)
    name = unicodedata.normalize("NFKC", text).strip()
    if not NAME_LENGTH_MIN <= len(name) <= NAME_LENGTH_MAX:
        raise Invalid("name_invalid", _RULE)
    if not all(_is_letter(character) or character in _PUNCTUATION for character in name):
        raise Invalid("name_invalid", _RULE)
    if name[0] in _PUNCTUATION or name[-1] in _PUNCTUATION or unicodedata.combining(name[0]):
        raise Invalid("name_invalid", _RULE)
    return name


def name_key(name: str) -> str:
    """Return what must be unique: the name without the difference of capitals.

    >>> name_key("STRASSE") == name_key("straße")
    True
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _is_letter(character: str) -> bool:
    category = unicodedata.category(character)
    # Letters of any script, the marks that some scripts write vowels with, decimal digits.
    return category[0] == "L" or category in {"Mn", "Mc", "Nd"}
