"""Settings as a screen, of the client or of a server: parts at the left, the open one beside."""

from collections.abc import Sequence
from typing import NamedTuple

import flet as ft

from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View

_SIDE_WIDTH = 264
# What a row leaves to its words; a test says that all fit in every language.
WORDS_WIDTH = _SIDE_WIDTH - 66


class Section(NamedTuple):
    """A part as it stands in the list; *handle* is what its row is found by."""

    name: str
    handle: str
    title: str
    icon: ft.IconData


def sectioned(
    view: View, title: str, sections: Sequence[Section], chosen: str, page: ft.Control, width: int
) -> ft.Control:
    """Return the screen where *page*, *width* wide, is the part whose name is *chosen*."""
    rows = [_row(view, each, chosen=each.name == chosen) for each in sections]
    side = ft.Container(
        ft.ListView([kit.section(title), *rows], spacing=2, expand=True),
        width=_SIDE_WIDTH,
        bgcolor=theme.SIDE,
        padding=ft.Padding.only(top=12),
    )
    body = ft.Container(
        page, width=width, padding=ft.Padding.only(left=36, right=24, top=28, bottom=48)
    )
    done = kit.icon_button("close-settings", ft.Icons.CLOSE, tr("Close"), lambda: close(view))
    return ft.Container(
        ft.Row(
            [
                side,
                ft.Column([body], scroll=ft.ScrollMode.AUTO, expand=True),
                ft.Container(done, padding=16),
            ],
            spacing=0,
            expand=True,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
        bgcolor=theme.GROUND,
        expand=True,
    )


def close(view: View) -> None:
    """Go back to where the settings were opened from."""
    view.go(screen="server" if view.place.server is not None else "friends", section="")


def _row(view: View, section: Section, *, chosen: bool) -> ft.Control:
    content = ft.Row(
        [
            ft.Icon(section.icon, size=18, color=theme.TEXT if chosen else theme.QUIET),
            kit.line(section.title, "name" if chosen else "body", expand=True),
        ],
        spacing=12,
    )
    return kit.row(
        section.handle,
        section.title,
        content,
        lambda: view.go(section=section.name),
        chosen=chosen,
    )
