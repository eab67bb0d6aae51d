"""In which order channels stand, and what a drag or a step changes about it. Pure.

The server knows one order of all channels and the category of each. On the screen those without
a category come first, then each category with its channels.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias
from uuid import UUID

from sidetone.protocol.ids import ChannelId
from sidetone.protocol.servers import Channel

Step: TypeAlias = Literal[-1, 1]
_OUTSIDE: Final = None


class Group(NamedTuple):
    """A category and its channels from the top; None: those that are in no category."""

    category: Channel | None
    channels: list[Channel]


class Arranged(NamedTuple):
    """What to ask of the server: the *order* of all channels, and the *parent* of the moved."""

    order: list[ChannelId]
    parent: ChannelId | None


def groups_of(channels: Iterable[Channel]) -> list[Group]:
    """Return *channels* as they are drawn, without threads."""
    placed = sorted(
        (each for each in channels if each.kind != "thread"),
        key=lambda each: (each.position, each.id),
    )
    categories = [each for each in placed if each.kind == "category"]
    known = {each.id for each in categories}
    inside: dict[UUID | None, list[Channel]] = {}
    for each in placed:
        if each.kind != "category":
            # A category that one does not see is none.
            parent = each.parent if each.parent in known else _OUTSIDE
            inside.setdefault(parent, []).append(each)
    outside = Group(None, inside.get(_OUTSIDE, []))
    return [outside, *(Group(each, inside.get(each.id, [])) for each in categories)]


def threads_of(channels: Iterable[Channel]) -> dict[UUID | None, list[Channel]]:
    """Return by channel which threads hang in it, the oldest first."""
    found: dict[UUID | None, list[Channel]] = {}
    threads = (each for each in channels if each.kind == "thread")
    for each in sorted(threads, key=lambda thread: thread.id):
        found.setdefault(each.parent, []).append(each)
    return found


def dropped(channels: Iterable[Channel], moved: ChannelId, onto: ChannelId) -> Arranged | None:
    """Return what follows when *moved* is dropped onto another; None: nothing changes.

    It takes the place of the other one. A channel that is dropped onto a category becomes its
    first; a category that is dropped onto a channel takes the place of that channel's category.
    """
    groups = groups_of(channels)
    category = _index_of_category(groups, moved)
    if category is not None:
        onto_index = _index_of_group(groups, onto)
        if onto_index in {None, 0, category}:
            return None
        return _arranged(_taken(groups, category, onto_index or 0), moved)
    found = _find(groups, moved)
    if found is None or moved == onto:
        return None
    target = _find(groups, onto) or (_index_of_category(groups, onto), 0)
    if target[0] is None:
        return None
    return _put(groups, found, (target[0], target[1]))


def stepped(channels: Iterable[Channel], moved: ChannelId, step: Step) -> Arranged | None:
    """Return what follows when *moved* goes one place up (-1) or down (1); None: it cannot.

    From the end of a category a channel goes on into the next one.
    """
    groups = groups_of(channels)
    category = _index_of_category(groups, moved)
    if category is not None:
        target = category + step
        if not 1 <= target < len(groups):
            return None
        return _arranged(_taken(groups, category, target), moved)
    found = _find(groups, moved)
    if found is None:
        return None
    group, place = found
    if 0 <= place + step < len(groups[group].channels):
        return _put(groups, found, (group, place + step))
    group += step
    if not 0 <= group < len(groups):
        return None
    return _put(groups, found, (group, 0 if step == 1 else len(groups[group].channels)))


def _put(groups: Sequence[Group], source: tuple[int, int], target: tuple[int, int]) -> Arranged:
    lists = [list(group.channels) for group in groups]
    moved = lists[source[0]].pop(source[1])
    lists[target[0]].insert(target[1], moved)
    after = [Group(group.category, inside) for group, inside in zip(groups, lists, strict=True)]
    return _arranged(after, moved.id)


def _taken(groups: Sequence[Group], source: int, target: int) -> list[Group]:
    after = list(groups)
    after.insert(target, after.pop(source))
    return after


def _arranged(groups: Sequence[Group], moved: ChannelId) -> Arranged:
    order: list[ChannelId] = []
    parent: ChannelId | None = None
    for group in groups:
        if group.category is not None:
            order.append(group.category.id)
        order += [each.id for each in group.channels]
        if group.category is not None and any(each.id == moved for each in group.channels):
            parent = group.category.id
    return Arranged(order, parent)


def _find(groups: Sequence[Group], channel: UUID) -> tuple[int, int] | None:
    for index, group in enumerate(groups):
        for place, each in enumerate(group.channels):
            if each.id == channel:
                return index, place
    return None


def _index_of_category(groups: Sequence[Group], category: UUID) -> int | None:
    for index, group in enumerate(groups):
        if group.category is not None and group.category.id == category:
            return index
    return None


def _index_of_group(groups: Sequence[Group], one: UUID) -> int | None:
    """Return the group that *one* is, or stands in."""
    found = _find(groups, one)
    return found[0] if found is not None else _index_of_category(groups, one)
