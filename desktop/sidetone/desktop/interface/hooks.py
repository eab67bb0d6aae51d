"""Flet's hooks with the types that they have: Flet leaves parts of them unsaid."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Generic, ParamSpec, TypeVar, cast

import flet as ft
from flet.components import utils
from flet.components.component import Renderer

T = TypeVar("T")
C = TypeVar("C", bound=type)
P = ParamSpec("P")

_use_state: Any = cast("Any", ft).use_state
_on_mounted: Any = cast("Any", ft).on_mounted
_memo: Any = cast("Any", ft).memo
_observable: Any = cast("Any", ft).observable


def state(initial: T) -> tuple[T, Callable[[T], None]]:
    """Return what the component remembers, and what changes it and draws the component anew."""
    return cast("tuple[T, Callable[[T], None]]", _use_state(initial))


class Entry(Generic[T]):
    """What was entered last: *value* is right even in a handler that is older than it.

    A handler sees the state of the drawing that it was made in. Who types the last letter and
    presses Enter at once is faster than the drawing between, and would lose that letter.
    """

    def __init__(self, initial: T) -> None:
        self.value = initial
        self.redraw: Callable[[], None] = _nothing

    def set(self, value: T) -> None:
        """Take *value*, and draw the component anew."""
        self.value = value
        self.redraw()


def entry(initial: T) -> Entry[T]:
    """Return what the component keeps of what is typed into it, for handlers that submit it."""
    made, _ = state(Entry(initial))
    drawn, draw = state(0)
    made.redraw = lambda: draw(drawn + 1)
    return made


def _nothing() -> None:
    pass


def mounted(work: Callable[[], object]) -> None:
    """Do *work* once, when the component is on the screen for the first time."""
    _on_mounted(work)


def memo(component: Callable[P, ft.Control]) -> Callable[P, ft.Control]:
    """Draw *component* anew only when what it is called with is not equal to before."""
    return cast("Callable[P, ft.Control]", _memo(component))


class Kept:
    """The uses of components in another one, by key: where nothing changed, those of before.

    What is the same object as before is not even compared, nor what is drawn in it.
    """

    def __init__(self) -> None:
        self._before: dict[str, tuple[object, ft.Control]] = {}
        self._now: dict[str, tuple[object, ft.Control]] = {}

    def begin(self) -> None:
        """Forget those that were not used in the last drawing."""
        self._before, self._now = self._now, {}

    def use(
        self, key: str, component: Callable[P, ft.Control], *args: P.args, **more: P.kwargs
    ) -> ft.Control:
        """Return the use of *component* with these arguments; one *key* is one use."""
        given = (component, args, more)
        known = self._before.get(key)
        if known is None or known[0] != given:
            known = (given, keyed(key, component, *args, **more))
        self._now[key] = known
        return known[1]


def kept() -> Kept:
    """Return what the component keeps of its uses of others."""
    made, _ = state(Kept())
    made.begin()
    return made


def observable(cls: C) -> C:
    """Let components follow the fields of *cls*."""
    return cast("C", _observable(cls))


def apart(component: Callable[P, ft.Control], *args: P.args, **more: P.kwargs) -> ft.Control:
    """Return a use of *component* that is in no other one: what a dialog shows."""
    return keyed("", component, *args, **more)


def keyed(
    key: str, component: Callable[P, ft.Control], *args: P.args, **more: P.kwargs
) -> ft.Control:
    """Return a use of *component* that stays the same one among its neighbours by its *key*.

    While nothing is drawn, as in a handler that opens a dialog, it is in no other component.
    """
    with Renderer().with_context() if _drawn_by() is None else nullcontext():
        return cast("ft.Control", cast("Any", component)(*args, key=key or None, **more))


def _drawn_by() -> object:
    """Return what draws just now, None in an event handler."""
    return utils._CURRENT_RENDERER.get()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
