"""Finds the controls in what comes to a page or goes from it, past all that can hold none.

Flet asks each field of each control, thirty of them, most of which were never set. Here those
are asked that were set to something, or that begin as something; the answer is the same.
"""

# The parts of Flet's difference are its own, and have no types.
# ruff: noqa: ANN401, SLF001

import dataclasses
import weakref
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from flet.controls import object_patch

# What is of these types holds nothing.
_BARE: Final = frozenset({type(None), bool, int, float, str, bytes})
_flet: Any = object_patch


def added(diff: Any) -> list[Any]:
    """Return the controls that *diff* adds, each before those in it, and make them ready."""
    found: list[Any] = []
    for key, part in diff._added_dataclasses.items():
        # What stands in the place of another was made ready when the two were compared.
        inside = key not in diff._removed_dataclasses
        _enter(diff.control_cls, part, (None, False), inside, found)
    return found


def removed(diff: Any) -> list[Any]:
    """Return the controls that *diff* removes, each after those in it."""
    found: list[Any] = []
    for key, part in diff._removed_dataclasses.items():
        _leave(diff.control_cls, part, key not in diff._added_dataclasses, found)
    return found


def _enter(
    kind: Any,
    item: Any,
    place: tuple[Any, bool],
    inside: bool,  # noqa: FBT001
    found: list[Any],
) -> None:
    """Note that *item* is in *place*, and make it ready, with all in it, if *inside*.

    A place is the control around it, if that is known, and whether nothing there ever changes.
    """
    if not hasattr(item.__class__, "__dataclass_fields__"):
        for inner in _members(item):
            _enter(kind, inner, place, inside, found)
        return
    around, frozen = _taken(kind, item, *place)
    if isinstance(item, kind):
        if inside:
            item.build()
            item._before_update_safe()
            object.__setattr__(item, "_initialized", True)
        found.append(item)
        around = item
    if inside:
        for inner in _inside(item):
            _enter(kind, inner, (around, frozen), inside, found)
    if not frozen:
        _follow(item)


def _taken(kind: Any, item: Any, around: Any, frozen: bool) -> tuple[Any, bool]:  # noqa: FBT001
    """Let *item* know its place; return that, as it is for what is in it."""
    if around is None:
        known = getattr(item, "_parent", None)
        around = known() if known else None
    if around:
        if around is item:
            raise _flet.ObjectPatchException(f"Parent is the same as item: {item}")
        item._parent = weakref.ref(around)
    if hasattr(item, "_frozen"):
        frozen = item._frozen
    elif frozen:
        item._frozen = frozen
    cls = item.__class__
    if getattr(cls, "__flet_control_cls__", None) is None:
        cls.__flet_control_cls__ = kind
    return around, frozen


def _follow(item: Any) -> None:
    """Have what changes in *item* from now on noted."""
    dirty = getattr(item, "_dirty", None)
    if dirty is not None:
        dirty.clear()
        return
    cls = item.__class__
    if cls.__setattr__ is not _flet._control_setattr:
        cls.__setattr__ = _flet._control_setattr
    object.__setattr__(item, "__changes", {})


def _leave(kind: Any, item: Any, recurse: bool, found: list[Any]) -> None:  # noqa: FBT001
    if not isinstance(item, kind):
        for inner in _members(item):
            _leave(kind, inner, recurse, found)
        return
    state: dict[str, Any] = item.__dict__
    if "__prev_lists" in state:
        for field in ("__prev_lists", "__prev_dicts", "__prev_classes"):
            for inner in state.get(field, {}).values():
                _leave(kind, inner, recurse, found)
    elif recurse:
        for inner in _inside(item):
            _leave(kind, inner, recurse, found)
    found.append(item)


def _members(item: Any) -> Iterable[Any]:
    """Return what is in a list or in a dictionary, and nothing of all else."""
    kind = item.__class__
    if issubclass(kind, dict):
        return item.values()
    return item if issubclass(kind, list) else ()


def _inside(item: Any) -> list[Any]:
    """Return the values of the fields of *item* that may hold controls, in the fields' order."""
    places, unsure = _fields(item.__class__)
    given: dict[str, Any] | None = getattr(item, "_values", None)
    names: Iterable[str] = places
    if given is not None:
        set_ = {name for name, value in given.items() if type(value) not in _BARE}
        names = sorted((set_ | unsure) & places.keys(), key=places.__getitem__)
    values = [getattr(item, name) for name in names]
    return [value for value in values if type(value) not in _BARE]


@cache
def _fields(cls: Any) -> tuple[dict[str, int], frozenset[str]]:
    """Return the place of each field, and which ones may hold something though never set."""
    fields = [each for each in dataclasses.fields(cls) if not each.metadata.get("skip", False)]
    places = {each.name: place for place, each in enumerate(fields)}
    begins: dict[str, Any] = getattr(cls, "_prop_defaults", {})
    bare = {name for name, value in begins.items() if type(value) in _BARE}
    return places, frozenset(places.keys() - bare)
