"""Parts of a page that are drawn when their turn comes."""

from collections.abc import Callable
from typing import Any, Final

import flet as ft

from sidetone.desktop.interface import hooks
from sidetone.desktop.interface.view import View

# What says that all is drawn, also of what is added afterwards.
_ALL: Final = 1 << 30


def gradually(view: View, count: int, at_once: int) -> int:
    """Return how many of *count* parts to draw by now: so many more in each turn, then all.

    A hook: call it at the top of a component, whose parts are drawn anew only when they change.
    """
    drawn, draw = hooks.state(_ALL if count <= at_once else 0)
    more = drawn + at_once

    def follow() -> Callable[[], None] | None:
        if drawn >= count:
            return None
        return view.turns.take(lambda: draw(_ALL if more >= count else more))

    ft.use_effect(follow, [drawn])
    return min(drawn, count)


@ft.component
def Later(
    view: View, height: float, component: Callable[..., ft.Control], *args: Any
) -> ft.Control:
    """Draw *component* of *args* in its turn, and room of about its *height* until then."""
    drawn, draw = hooks.state(initial=False)
    ft.use_effect(lambda: view.turns.take(lambda: draw(True)), [])
    return component(*args) if drawn else ft.Container(height=height)
