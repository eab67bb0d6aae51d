"""A part of a page that is drawn when its turn comes."""

from collections.abc import Callable
from typing import Any

import flet as ft

from sidetone.desktop.interface import hooks
from sidetone.desktop.interface.view import View


@ft.component
def Later(
    view: View, height: float, component: Callable[..., ft.Control], *args: Any
) -> ft.Control:
    """Draw *component* of *args* in its turn, and room of about its *height* until then."""
    drawn, draw = hooks.state(initial=False)
    ft.use_effect(lambda: view.turns.take(lambda: draw(True)), [])
    return component(*args) if drawn else ft.Container(height=height)
