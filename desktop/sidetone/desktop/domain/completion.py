"""What is being typed, and what it could become: a person, a role, a channel, an emoji.

Pure. Text fields tell what stands in them and not where the cursor is: that follows from what
changed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias

import msgspec

Sigil: TypeAlias = Literal["@", "#", ":"]
OFFERED_MAX: Final = 8
_ASKED: Final = re.compile(r"(?:^|(?<=[\s(*_>|~]))(?P<sigil>[@#:])(?P<word>[\w.+-]{0,32})$")
_SENT: Final = re.compile(r"<(?:@&?|#)[0-9a-fA-F-]{36}>")
# An emoji is offered from its second letter on: before that it may be a smile.
_EMOJI_LENGTH_MIN: Final = 2


class Asked(msgspec.Struct, frozen=True):
    """The unfinished word that ends at the cursor, from its sign at *start* to *end*."""

    sigil: Sigil
    word: str
    start: int
    end: int


class Offer(msgspec.Struct, frozen=True):
    """Something that the word can become.

    *key* tells it from the others; *label* is how it is listed, with a *picture*: an emoji, or
    the beginning of a name. *shown* is what stands in the field then, *written* what is sent.
    """

    key: str
    label: str
    shown: str
    written: str
    picture: str = ""
    hint: str = ""


def cursor_after(old: str, new: str) -> int:
    """Return where the cursor is after *old* became *new* by one change.

    >>> cursor_after("hi @bo all", "hi @bol all"), cursor_after("ab", "b"), cursor_after("", "x")
    (7, 0, 1)
    """
    room = min(len(old), len(new))
    same_before = next((at for at in range(room) if old[at] != new[at]), room)
    room -= same_before
    same_after = next((at for at in range(room) if old[-1 - at] != new[-1 - at]), room)
    return len(new) - same_after


def is_enter(old: str, new: str) -> bool:
    r"""Return whether *old* became *new* by one press of Enter; what is pasted is none.

    >>> is_enter("ab", "a\nb"), is_enter("ab", "abc"), is_enter("", "a\n")
    (True, False, False)
    """
    cursor = cursor_after(old, new)
    return new[cursor - 1 : cursor] == "\n" and new[: cursor - 1] + new[cursor:] == old


def asked(text: str, cursor: int) -> Asked | None:
    """Return the word at *cursor* that asks to be completed.

    >>> asked("hi @bo", 6)
    Asked(sigil='@', word='bo', start=3, end=6)
    >>> asked("mail@bo", 7), asked("so :", 4)
    (None, None)
    """
    match = _ASKED.search(text[:cursor])
    if match is None:
        return None
    sigil, word = match["sigil"], match["word"]
    if sigil == ":" and len(word) < _EMOJI_LENGTH_MIN:
        return None
    return Asked(_SIGILS[sigil], word, match.start(), cursor)


def fitting(word: str, offers: Iterable[Offer]) -> list[Offer]:
    """Return the best of *offers* for *word*: first those that begin with it."""
    wanted = word.casefold()
    ranked: list[tuple[int, int, str, Offer]] = []
    for offer in offers:
        place = offer.label.casefold().find(wanted)
        if place >= 0:
            ranked.append((min(place, 1), len(offer.label), offer.key, offer))
    return [offer for *_, offer in sorted(ranked, key=lambda each: each[:3])[:OFFERED_MAX]]


def completed(text: str, question: Asked, offer: Offer) -> tuple[str, int]:
    """Return *text* with the word replaced by *offer*, and where the cursor is then."""
    rest = text[question.end :]
    shown = offer.shown + ("" if rest.startswith(" ") else " ")
    cursor = question.start + len(shown) + rest.startswith(" ")
    return text[: question.start] + shown + rest, cursor


def written(text: str, calls: Mapping[str, str]) -> str:
    """Return *text* as it is sent: *calls* are what stands for names that were chosen.

    >>> written("hi @bo and @bo2", {"@bo": "<@1>", "@bo2": "<@2>"})
    'hi <@1> and <@2>'
    """
    if not calls:
        return text
    names = "|".join(re.escape(name) for name in sorted(calls, key=len, reverse=True))
    return re.sub(rf"({names})(?!\w)", lambda match: calls[match[1]], text)


def readable(text: str, called: Callable[[str], str]) -> tuple[str, dict[str, str]]:
    """Return *text* as one edits it, and what stands for the names in it.

    *called* returns what is shown for a mention as it was sent.
    """
    calls: dict[str, str] = {}

    def show(match: re.Match[str]) -> str:
        name = called(match[0])
        return name if calls.setdefault(name, match[0]) == match[0] else match[0]

    return _SENT.sub(show, text), calls


_SIGILS: Final[dict[str, Sigil]] = {"@": "@", "#": "#", ":": ":"}
