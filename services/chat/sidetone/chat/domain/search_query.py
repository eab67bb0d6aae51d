"""What a search asks for."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from sidetone.protocol.ids import ChannelId, MessageId, ServerId, UserId
from sidetone.protocol.refusals import Invalid

Trait: TypeAlias = Literal["file", "image", "link", "mention", "pin"]

QUERY_LENGTH_MAX = 200
WORDS_MAX = 16
_WORD = re.compile(r"[^\W_]+")


class SearchQuery(msgspec.Struct, frozen=True):
    """Messages of *server* in *channels*, and of their threads, newest first.

    All *words* are in the text, the last one perhaps as the beginning of a longer one. *since* and
    *until* are ids: the first is within the range, the second is not.
    """

    server: ServerId
    channels: Sequence[ChannelId]
    words: Sequence[str] = ()
    author: UserId | None = None
    traits: frozenset[Trait] = frozenset()
    thread: ChannelId | None = None
    since: MessageId | None = None
    until: MessageId | None = None


def words_of(text: str) -> list[str]:
    """Return the words that a question of *text* looks for.

    Raises ``Invalid`` for too long a question.

    >>> words_of("Café-Racer, 2x!")
    ['cafe', 'racer', '2x']
    """
    if len(text) > QUERY_LENGTH_MAX:
        raise Invalid("query_too_long", f"ask with at most {QUERY_LENGTH_MAX} characters")
    words = indexed_words(text)
    if len(words) > WORDS_MAX:
        raise Invalid("query_too_long", f"ask with at most {WORDS_MAX} words")
    return words


def indexed_words(text: str) -> list[str]:
    """Return the words of *text* without what a search looks past: case, accents, forms, signs.

    Every index is given these alone, and so all of them find the same.
    """
    # Some signs are spelled in capitals only when they are taken apart.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    return _WORD.findall(unicodedata.normalize("NFKC", bare))
