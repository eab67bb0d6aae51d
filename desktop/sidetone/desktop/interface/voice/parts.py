"""Parts that several sheets of a call share."""

from collections.abc import Sequence

import flet as ft

_SHOWN_MAX = 5
_HEIGHT = 260


def listing(rows: Sequence[ft.Control], *, spacing: float = 4) -> ft.Control:
    """Return *rows* one below another; many of them scroll, so that the sheet keeps its size."""
    many = len(rows) > _SHOWN_MAX
    return ft.Container(
        ft.Column(
            list(rows),
            tight=not many,
            spacing=spacing,
            scroll=ft.ScrollMode.AUTO if many else None,
        ),
        height=_HEIGHT if many else None,
    )
