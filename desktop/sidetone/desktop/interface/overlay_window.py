"""The window that the overlay is in: opened and closed as it is set, and put where it is set.

In a browser it is one of the browser's windows, which alone decides where it stands.
"""

from collections.abc import Sequence
from typing import Final

import flet as ft

from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.domain.preferences import Corner
from sidetone.desktop.interface.view import View

ROUTE: Final = "/overlay"
_WIDTH, _HEIGHT = 240, 320
_CORNERS: Final[dict[Corner, ft.Alignment]] = {
    "top_left": ft.Alignment.TOP_LEFT,
    "top_right": ft.Alignment.TOP_RIGHT,
    "bottom_left": ft.Alignment.BOTTOM_LEFT,
    "bottom_right": ft.Alignment.BOTTOM_RIGHT,
}


class OverlayWindow:
    """Whether it is open, as far as *preferences* have been followed."""

    def __init__(self, preferences: KeepPreferences) -> None:
        self._preferences = preferences
        self._open = False

    def follow(self, views: Sequence[View]) -> None:
        """Open it or close it beside *views*, as it is set."""
        wished = self._preferences.current.overlay
        overlays = [each for each in views if each.place.screen == "overlay"]
        others = [each for each in views if each not in overlays]
        for view in overlays:
            _fit(view.page, wished.corner)
        if wished.shown == self._open or not others:
            return
        self._open = wished.shown
        if wished.shown:
            others[-1].start(others[-1].open_beside(ROUTE, _WIDTH, _HEIGHT))
            return
        for view in overlays:
            # A window of a browser is closed by its user.
            if not view.page.web:
                view.start(view.page.window.close())


def _fit(page: ft.Page, corner: Corner) -> None:
    """Make a window of this system one that lies above all others and takes no clicks."""
    if page.web:
        return
    window = page.window
    window.width, window.height = _WIDTH, _HEIGHT
    window.alignment = _CORNERS[corner]
    window.frameless = window.always_on_top = window.skip_task_bar = True
    window.ignore_mouse_events = True
    window.resizable = window.shadow = False
    page.bgcolor = window.bgcolor = ft.Colors.TRANSPARENT
    page.update()
