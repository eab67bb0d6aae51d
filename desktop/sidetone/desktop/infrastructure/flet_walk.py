"""Finds the controls in what comes to a page or goes from it, past all that can hold none.

Flet asks each field of each control, thirty of them, most of which were never set. Here only
those are asked that were; the answer is the same.
"""

# The parts of Flet's difference are its own, and have no types.
# ruff: noqa: ANN401, SLF001

import dataclasses
import weakref
from collections.abc import Iterable
from functools import cache
from typing import Any

from flet.controls import object_patch
from flet.controls.base_control import BaseControl

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
    """Return the controls that *diff* removes and that do something then, each after those in it.

    The others Flet knows by weak references alone, which go with them.
    """
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
    held: Iterable[Any] = ()
    if "__prev_lists" in state:
        fields = ("__prev_lists", "__prev_dicts", "__prev_classes")
        held = [inner for field in fields for inner in state.get(field, {}).values()]
    elif recurse:
        held = _inside(item)
    for inner in held:
        if _holds(inner.__class__):
            _leave(kind, inner, recurse, found)
    if _acts(item.__class__):
        found.append(item)


def _members(item: Any) -> Iterable[Any]:
    """Return what is in a list or in a dictionary, and nothing of all else."""
    kind = item.__class__
    if issubclass(kind, dict):
        return item.values()
    return item if issubclass(kind, list) else ()


def _inside(item: Any) -> list[Any]:
    """Return the values of the fields of *item* that may hold controls, in the fields' order."""
    places, own = _fields(item.__class__)
    state: dict[str, Any] = item.__dict__
    given: dict[str, Any] = state.get("_values", {})
    held = [(name, value) for name, value in given.items() if _may_hold(value.__class__)]
    for name in own:
        value = state.get(name)
        if _may_hold(value.__class__):
            held.append((name, value))
    if len(held) > 1:
        held.sort(key=lambda each: places[each[0]])
    return [value for _, value in held]


@cache
def _fields(cls: Any) -> tuple[dict[str, int], list[str]]:
    """Return the place of each field, and which ones Flet keeps in the object itself.

    The rest is kept apart, and only what was set to something: what it begins as is one value
    for all objects, and no such value holds a control.
    """
    fields = [each for each in dataclasses.fields(cls) if not each.metadata.get("skip", False)]
    places = {each.name: place for place, each in enumerate(fields)}
    return places, [name for name in places if name not in getattr(cls, "_prop_defaults", {})]


@cache
def _may_hold(cls: Any) -> bool:
    return hasattr(cls, "__dataclass_fields__") or issubclass(cls, (dict, list))


@cache
def _holds(cls: Any) -> bool:
    """Return whether what is of *cls* is a control, or a list or dictionary of them."""
    return issubclass(cls, (BaseControl, dict, list))


@cache
def _acts(cls: Any) -> bool:
    """Return whether a control of *cls* does something when it comes or goes."""
    known = (BaseControl.did_mount, BaseControl.will_unmount)
    return (cls.did_mount, cls.will_unmount) != known
