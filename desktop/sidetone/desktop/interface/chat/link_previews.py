"""What pages say of themselves that a message links to."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.protocol.files import LinkPreview

_WIDTH = 440
_PICTURE = 76


@ft.component
def LinkPreviews(pane: Pane, previews: tuple[LinkPreview, ...]) -> ft.Control:
    """Draw them, unless the user wants none."""
    pane.view.watch(Topic("preferences"))
    if not pane.view.core.preferences.current.privacy.shows_previews:
        return ft.Container(visible=False)
    return ft.Column([hooks.keyed(each.url, Preview, pane, each) for each in previews], spacing=6)


@ft.component
def Preview(pane: Pane, preview: LinkPreview) -> ft.Control:
    """Draw one page; a click opens it in the browser."""
    pane.view.watch(Topic("file", preview.image))
    picture = pane.account.pictures.get(preview.image) if preview.image is not None else None
    words = [
        kit.line(preview.site, "section", theme.FAINT),
        kit.text(preview.title, "name", theme.ACCENT, max_lines=2),
        kit.text(preview.description, "small", theme.QUIET, max_lines=3),
    ]
    row: list[ft.Control] = [
        ft.Column([word for word in words if word.value], spacing=2, expand=True)
    ]
    if picture is not None:
        row.append(
            ft.Image(
                picture, width=_PICTURE, height=_PICTURE, fit=ft.BoxFit.COVER, border_radius=8
            )
        )
    card = ft.Container(
        ft.Row(row, spacing=12, vertical_alignment=ft.CrossAxisAlignment.START),
        width=_WIDTH,
        padding=ft.Padding.symmetric(horizontal=12, vertical=9),
        bgcolor=theme.RAISED,
        border=ft.Border.only(left=ft.BorderSide(3, theme.ACCENT)),
        border_radius=8,
        url=preview.url,
        ink=True,
    )
    return kit.semantics(f"preview-{preview.url}", card, preview.title, link=True)
