"""Find a place or a person by a few of its letters, the likeliest first. Pure."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec

SHOWN_MAX: Final = 12

TargetKind: TypeAlias = Literal["server", "channel", "voice", "conversation", "person"]

_FIRST: Final = 12
_WORD: Final = 8
_TOGETHER: Final = 9
_LETTER: Final = 1
_GAP_MAX: Final = 3


class Target(msgspec.Struct, frozen=True):
    """Where one can go: *name* is searched, *where* only shown; *waiting* asks to be seen."""

    kind: TargetKind
    name: str
    where: str
    account: UUID
    of: UUID
    waiting: bool = False


def found(query: str, targets: Iterable[Target]) -> Sequence[Target]:
    """Return what fits *query*, best first; without a query what waits, then all as given.

    >>> apex, pals = (Target("server", n, "", UUID(int=0), UUID(int=1)) for n in ("Apex", "Pals"))
    >>> [each.name for each in found("ap", [pals, apex])]
    ['Apex']
    """
    wanted = "".join(query.casefold().split()).lstrip("#@")
    if not wanted:
        return sorted(targets, key=lambda each: not each.waiting)[:SHOWN_MAX]
    scored = [
        (score, each) for each in targets if (score := score_of(wanted, each.name)) is not None
    ]
    scored.sort(key=lambda pair: (-pair[0], len(pair[1].name), pair[1].name.casefold()))
    return [each for _, each in scored[:SHOWN_MAX]]


def score_of(wanted: str, name: str) -> int | None:
    """Return how well *wanted* (folded, no spaces) fits; None if a letter is missing in order.

    The first letter of the name counts most, then first letters of words, then letters that stand
    together; letters far apart cost a little. The best way to lay *wanted* over the name counts.
    """
    letters = name.casefold()
    best: dict[int, int] = {-1: 0}
    for letter in wanted:
        reached: dict[int, int] = {}
        for place, own in enumerate(letters):
            if own == letter:
                ways = (
                    total + _worth(letters, place, last)
                    for last, total in best.items()
                    if last < place
                )
                score = max(ways, default=None)
                if score is not None:
                    reached[place] = score
        best = reached
    return max(best.values(), default=None)


def _worth(letters: str, place: int, last: int) -> int:
    if place == 0:
        return _FIRST
    if not letters[place - 1].isalnum():
        return _WORD
    if place == last + 1:
        return _TOGETHER
    return _LETTER - min(place - last - 1, _GAP_MAX)
