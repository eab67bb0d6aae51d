"""Who is in a server, in the order of the list: by hoisted role, then who is there, then others.

A list of thousands is a flat row of lines of two heights, so that only those that can be seen need
be drawn: see ``window``. Pure.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final, NamedTuple, TypeAlias

from sidetone.community import Community
from sidetone.desktop.domain import names
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.protocol.ids import UserId
from sidetone.protocol.servers import Role

HEADER_HEIGHT: Final = 36
ROW_HEIGHT: Final = 44
# Lines are drawn in steps, so that scrolling a little draws nothing anew.
STEP: Final = 25
_BEYOND: Final = 25
# Places after those of hoisted roles.
_THERE: Final = (1, 0)
_AWAY: Final = (2, 0)


class Heading(NamedTuple):
    """The title of a group: a hoisted *role*, or None: those who are there, or who are not."""

    role: Role | None
    there: bool
    size: int


Line: TypeAlias = Heading | UserId


class Window(NamedTuple):
    """The lines from *first* to *last*, and the pixels that stand for those before and after."""

    first: int
    last: int
    before: float
    after: float


def lines_of(knowledge: Knowledge, community: Community) -> list[Line]:
    """Return headings and members from the top."""
    groups: dict[tuple[int, int], tuple[Role | None, list[tuple[str, UserId]]]] = {}
    hoisted = {role.id: role for role in community.roles.values() if role.hoisted}
    for member in community.members.values():
        presence = knowledge.presences.get(member.user)
        there = presence is not None and presence.status != "offline"
        roles = [hoisted[role] for role in member.roles if role in hoisted] if there else []
        top = max(roles, key=lambda role: role.position, default=None)
        place = (0, -top.position) if top is not None else _THERE if there else _AWAY
        name = names.name_of(knowledge, member.user, community)
        groups.setdefault(place, (top, []))[1].append((name.casefold(), member.user))
    lines: list[Line] = []
    for place, (role, members) in sorted(groups.items(), key=lambda group: group[0]):
        lines.append(Heading(role, place < _AWAY, len(members)))
        lines += [user for _, user in sorted(members)]
    return lines


def window(lines: Sequence[Line], top: float, height: float) -> Window:
    """Return what must be drawn when pixels from *top* on, *height* of them, can be seen.

    >>> from uuid import UUID
    >>> lines = [Heading(None, True, 500), *(UserId(UUID(int=n)) for n in range(500))]
    >>> window(lines, 0, 400)
    Window(first=0, last=50, before=0, after=19844)
    """
    ends = list(accumulate(height_of(line) for line in lines))
    shown_first = bisect_right(ends, top)
    shown_last = bisect_right(ends, top + height)
    first = max(0, (shown_first - _BEYOND) // STEP * STEP)
    last = min(len(lines), -(-(shown_last + _BEYOND) // STEP) * STEP)
    before = ends[first - 1] if first else 0
    after = ends[-1] - ends[last - 1] if last else 0
    return Window(first, last, before, after)


def height_of(line: Line) -> int:
    """Return how high a line is, in pixels."""
    return HEADER_HEIGHT if isinstance(line, Heading) else ROW_HEIGHT
