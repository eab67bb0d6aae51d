"""The parts that every screen is made of, so that all look, read aloud and behave alike.

Every control that one can use carries an *identifier* (the handle of tests) and a *label* (what a
screen reader says). Colours and sizes are roles of the theme, see ``theme``.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import flet as ft

from sidetone.desktop.domain.wording import told, tr
from sidetone.desktop.interface import theme

Handler: TypeAlias = Callable[..., Any]
Style: TypeAlias = Literal[
    "screen", "title", "heading", "name", "body", "small", "label", "section", "button"
]
_STYLES: dict[Style, ft.TextThemeStyle] = {
    "screen": ft.TextThemeStyle.HEADLINE_SMALL,
    "title": ft.TextThemeStyle.TITLE_LARGE,
    "heading": ft.TextThemeStyle.TITLE_MEDIUM,
    "name": ft.TextThemeStyle.TITLE_SMALL,
    "body": ft.TextThemeStyle.BODY_MEDIUM,
    "small": ft.TextThemeStyle.BODY_SMALL,
    "label": ft.TextThemeStyle.LABEL_MEDIUM,
    "section": ft.TextThemeStyle.LABEL_SMALL,
    "button": ft.TextThemeStyle.LABEL_LARGE,
}
# On any face: all of them are light.
INITIALS: Final = "#0B0D12"
_NOTICE_SECONDS = 6
# A button beside a line of text does not make the line higher.
_MORE: Final = 28
_SHEET_SHAPE = ft.RoundedRectangleBorder(radius=16, side=ft.BorderSide(1, theme.LINE))


def semantics(
    identifier: str, content: ft.Control, label: str | None = None, **more: Any
) -> ft.Semantics:
    """Return *content* as tests and screen readers find it."""
    return ft.Semantics(
        content=content, identifier=identifier, label=label, container=True, **more
    )


def text(value: str, style: Style = "body", color: Any = theme.TEXT, **more: Any) -> ft.Text:
    """Return letters of one of the styles that there are."""
    return ft.Text(value, theme_style=_STYLES[style], color=color, **more)


def line(value: str, style: Style = "body", color: Any = theme.TEXT, **more: Any) -> ft.Text:
    """Return one line of text that is cut where there is no room."""
    return text(
        value, style, color, max_lines=1, overflow=ft.TextOverflow.ELLIPSIS, no_wrap=True, **more
    )


def sentence(detail: str) -> str:
    """Return *detail* of a refusal in the spoken language, as a line that stands alone."""
    said = told(detail)
    return said[:1].upper() + said[1:]


def section(value: str, *trailing: ft.Control, **more: Any) -> ft.Container:
    """Return the heading of a group in a list."""
    title = semantics(
        f"section-{value}", line(value.upper(), "section", theme.FAINT), value, header=True
    )
    title.expand = True
    return ft.Container(
        ft.Row([title, *trailing], spacing=4),
        padding=ft.Padding.only(left=16, right=10, top=14, bottom=4),
        **more,
    )


def icon_button(
    identifier: str,
    icon: ft.IconData,
    label: str,
    on_click: Handler,
    *,
    color: Any = theme.QUIET,
    **more: Any,
) -> ft.Semantics:
    """Return a button that is only a picture; *label* is its tooltip and what is read aloud."""
    settings: dict[str, Any] = {"icon_size": 20, "icon_color": color, **more}
    button = ft.IconButton(icon, tooltip=label, on_click=on_click, **settings)
    return semantics(identifier, button, label, button=True)


def button(
    identifier: str,
    label: str,
    on_click: Handler,
    *,
    kind: Literal["filled", "quiet", "danger"] = "filled",
    **more: Any,
) -> ft.Semantics:
    """Return a button with a word: the one thing to do, another way, or what cannot be undone."""
    shape = ft.RoundedRectangleBorder(radius=theme.RADIUS)
    if kind == "quiet":
        control: ft.Control = ft.TextButton(label, on_click=on_click, **more)
    else:
        ground, ink = (
            (theme.BAD, theme.ON_BAD) if kind == "danger" else (theme.ACCENT, theme.ON_ACCENT)
        )
        off, other = ft.ControlState.DISABLED, ft.ControlState.DEFAULT
        style = ft.ButtonStyle(
            bgcolor={off: theme.CHOSEN, other: ground},
            color={off: theme.FAINT, other: ink},
            shape=shape,
        )
        control = ft.FilledButton(label, on_click=on_click, style=style, **more)
    return semantics(identifier, control, label, button=True)


def field(
    identifier: str,
    label: str,
    value: str,
    on_change: Handler,
    *,
    max_length: int | None = None,
    **more: Any,
) -> ft.Semantics:
    """Return a line to type in; *on_change* gets the text.

    What is longer than *max_length* is not cut, for nobody knows where it may be: it is said.
    """
    settings: dict[str, Any] = {
        **({} if max_length is None else _room(value, max_length)),
        "filled": True,
        "fill_color": theme.WELL,
        "border_color": theme.LINE,
        "focused_border_color": theme.ACCENT,
        "border_radius": theme.RADIUS,
        "color": theme.TEXT,
        **more,
    }
    control = ft.TextField(
        label=label, value=value, on_change=lambda e: on_change(e.control.value), **settings
    )
    return semantics(identifier, control)


def _room(value: str, length_max: int) -> dict[str, Any]:
    """Return what a line says of how much is written in it."""
    length = len(value.strip())
    told: dict[str, Any] = {"counter": f"{length}/{length_max}"}
    if length > length_max:
        over = length - length_max
        told["error"] = tr("This is {n} characters too long; shorten it.", n=over)
    return told


def avatar(
    name: str,
    color: str,
    radius: float = 16,
    *,
    picture: bytes | None = None,
    presence: Any = None,
    ground: Any = theme.SIDE,
) -> ft.Control:
    """Return somebody's picture or initials, with a dot for how they are there.

    *ground* is what it stands on: the dot is cut out of it.
    """
    face = ft.CircleAvatar(
        content=None
        if picture
        else ft.Text(name, size=radius * 0.8, weight=ft.FontWeight.W_600, color=INITIALS),
        foreground_image_src=picture,
        bgcolor=color,
        radius=radius,
    )
    if presence is None:
        return face
    dot = ft.Container(
        width=11,
        height=11,
        border_radius=6,
        bgcolor=presence,
        right=-1,
        bottom=-1,
        border=ft.Border.all(2, ground),
    )
    return ft.Stack(
        [face, dot], width=2 * radius, height=2 * radius, clip_behavior=ft.ClipBehavior.NONE
    )


def row(
    identifier: str,
    label: str,
    content: ft.Control,
    on_click: Handler | None,
    *,
    chosen: bool = False,
    **more: Any,
) -> ft.Semantics:
    """Return one line of a list that can be chosen."""
    settings: dict[str, Any] = {
        "padding": ft.Padding.symmetric(horizontal=10, vertical=6),
        "margin": ft.Margin.symmetric(horizontal=8),
        **more,
    }
    body = ft.Container(
        content,
        bgcolor=theme.CHOSEN if chosen else None,
        border_radius=8,
        ink=on_click is not None,
        on_click=on_click,
        **settings,
    )
    return semantics(identifier, body, label, button=on_click is not None, selected=chosen)


def badge(count: int) -> ft.Control:
    """Return a number that asks to be looked at."""
    return ft.Container(
        text(str(count) if count < 100 else "99+", "section", theme.ON_BAD),
        bgcolor=theme.BAD,
        border_radius=9,
        padding=ft.Padding.symmetric(horizontal=6, vertical=1),
    )


def sheet(content: ft.Control, *, width: float = 440) -> ft.AlertDialog:
    """Return a window in the window of which all is drawn by the component *content*."""
    return ft.AlertDialog(
        content=ft.Container(content, width=width),
        content_padding=24,
        actions_padding=0,
        bgcolor=theme.SHEET,
        shape=_SHEET_SHAPE,
    )


def menu_item(
    identifier: str,
    label: str,
    icon: ft.IconData,
    on_click: Handler,
    *,
    danger: bool = False,
    tint: Any = theme.QUIET,
) -> ft.PopupMenuItem:
    """Return one thing that a menu offers; see ``View.menu``."""
    color, tint = (theme.BAD, theme.BAD) if danger else (theme.TEXT, tint)
    words = ft.Row(
        [
            ft.Icon(icon, size=18, color=tint),
            text(label, color=color),
        ],
        spacing=12,
        tight=True,
    )
    return ft.PopupMenuItem(
        content=semantics(identifier, words, label, button=True), height=38, on_click=on_click
    )


def menu_line() -> ft.PopupMenuItem:
    """Return the line between two groups of a menu."""
    return ft.PopupMenuItem(height=9)


def more(
    identifier: str,
    label: str,
    items: list[ft.PopupMenuItem],
    *,
    icon: ft.IconData = ft.Icons.MORE_HORIZ,
) -> ft.Semantics:
    """Return the button that opens a menu; *label* is its tooltip and what is read aloud."""
    control = ft.PopupMenuButton(
        icon=icon,
        icon_size=18,
        icon_color=theme.QUIET,
        items=items,
        tooltip=label,
        padding=0,
        menu_position=ft.PopupMenuPosition.UNDER,
    )
    small = ft.Container(control, width=_MORE, height=_MORE, alignment=ft.Alignment.CENTER)
    return semantics(identifier, small, label, button=True)


def feedback(label: str) -> ft.Control:
    """Return what hangs at the pointer while something called *label* is dragged."""
    return ft.Container(
        line(label, "name"),
        bgcolor=theme.CHOSEN,
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=14, vertical=8),
        opacity=0.9,
    )


def snack(line_: str, *, bad: bool = False) -> ft.SnackBar:
    """Return a line that goes by itself."""
    return ft.SnackBar(
        content=semantics(
            "notice",
            text(line_, color=theme.ON_BAD if bad else theme.GROUND),
            live_region=True,
        ),
        bgcolor=theme.BAD if bad else theme.TEXT,
        duration=_NOTICE_SECONDS * 1000,
        behavior=ft.SnackBarBehavior.FLOATING,
        width=480,
    )
