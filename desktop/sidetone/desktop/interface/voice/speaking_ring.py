"""A face, and around it a ring while its owner is heard: the part that changes most often.

Only the ring itself is drawn anew when somebody begins or ends to speak, up to 120 times a second
in a busy call; the face beneath and the row around it stay as they are.
"""

from typing import Final

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import UserId

_WIDTH: Final = 2
_GAP: Final = 2


def ringed(view: View, user: UserId, face: ft.Control, radius: float) -> ft.Control:
    """Return *face* with a ring while *user* speaks."""
    size = 2 * (radius + _GAP + _WIDTH)
    return ft.Stack(
        [
            ft.Container(face, padding=_GAP + _WIDTH),
            hooks.keyed(f"ring-{user}", Ring, view, user, size),
        ],
        width=size,
        height=size,
    )


@ft.component
def Ring(view: View, user: UserId, size: float) -> ft.Control:
    """Draw the ring, or nothing."""
    view.watch(Topic("speaking", user))
    ring = ft.use_memo(lambda: _circle(size), [size])
    # Only this one word changes: the cheapest there is to tell the page.
    speaks = user in view.core.voice.speaking
    return kit.semantics(f"speaking-{user}", ring, visible=speaks)


def _circle(size: float) -> ft.Control:
    return ft.Container(
        width=size,
        height=size,
        border_radius=size / 2,
        border=ft.Border.all(_WIDTH, theme.GOOD),
    )
