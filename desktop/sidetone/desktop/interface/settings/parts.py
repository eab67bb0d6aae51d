"""What pages of settings are made of: a name, a word on what it does, and the control."""

from collections.abc import Callable, Sequence
from typing import Any

import flet as ft
import msgspec

from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.refusals import Refusal

_CONTROL_WIDTH = 260


def set_in(view: View, part: str, **changes: Any) -> None:
    """Set fields of one *part* of the preferences; an empty one is the preferences."""
    keeper = view.core.preferences
    current = keeper.current
    if part:
        changes = {part: msgspec.structs.replace(getattr(current, part), **changes)}
    try:
        keeper.change(msgspec.structs.replace(current, **changes))
    except Refusal as refusal:
        view.notice(kit.sentence(refusal.detail), bad=True)


def page(title: str, *content: ft.Control) -> ft.Control:
    """Return a page with its heading."""
    heading = kit.semantics(
        f"settings-title-{title}", kit.text(title, "screen"), title, header=True
    )
    return ft.Column(
        [heading, *content],
        spacing=22,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def group(title: str, *content: ft.Control) -> ft.Control:
    """Return what belongs together on a page."""
    return ft.Column(
        [kit.text(title, "label", theme.QUIET), block(*content)],
        spacing=8,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def block(*content: ft.Control) -> ft.Control:
    """Return *content* on a ground of its own."""
    return ft.Container(
        ft.Column(
            list(content),
            spacing=14,
            tight=True,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        bgcolor=theme.SIDE,
        border=ft.Border.all(1, theme.LINE),
        border_radius=12,
        padding=ft.Padding.symmetric(horizontal=18, vertical=16),
    )


def setting(name: str, hint: str, control: ft.Control) -> ft.Control:
    """Return one thing to set: its name and what it does at the left, the control at the right."""
    words: list[ft.Control] = [kit.text(name, "name")]
    if hint:
        words.append(kit.text(hint, "small", theme.QUIET))
    return ft.Row(
        [ft.Column(words, spacing=2, tight=True, expand=True), control],
        spacing=24,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def toggle(
    identifier: str,
    name: str,
    hint: str,
    value: bool,
    on_change: Callable[[bool], object],
    *,
    why_not: str = "",
) -> ft.Control:
    """Return something that is on or off; *why_not* says why it cannot be changed."""
    switch = ft.Switch(
        value=value,
        disabled=bool(why_not),
        tooltip=why_not or None,
        on_change=lambda e: on_change(e.control.value),
    )
    return setting(name, why_not or hint, kit.semantics(identifier, switch, name, toggled=value))


def choice(
    identifier: str,
    name: str,
    hint: str,
    value: str,
    options: Sequence[tuple[str, str]],
    on_change: Callable[[str], object],
) -> ft.Control:
    """Return a choice of one of *options*: what is kept, and what is shown."""
    menu = ft.Dropdown(
        value=value,
        options=[ft.DropdownOption(key=key, text=text) for key, text in options],
        on_select=lambda e: on_change(e.control.value or ""),
        width=_CONTROL_WIDTH,
        border_color=theme.LINE,
        border_radius=theme.RADIUS,
        filled=True,
        fill_color=theme.WELL,
        color=theme.TEXT,
    )
    return setting(name, hint, kit.semantics(identifier, menu, name))


def slider(
    identifier: str,
    name: str,
    value: float,
    limits: tuple[float, float],
    unit: str,
    on_change: Callable[[int], object],
) -> ft.Control:
    """Return a number between *limits* that is drawn; it is set when it is let go."""
    control = ft.Slider(
        value=value,
        min=limits[0],
        max=limits[1],
        divisions=int(limits[1] - limits[0]),
        label="{value} " + unit,
        round=0,
        width=_CONTROL_WIDTH,
        active_color=theme.ACCENT,
        on_change_end=lambda e: on_change(round(e.control.value or 0)),
    )
    return setting(f"{name}: {value:g} {unit}", "", kit.semantics(identifier, control, name))
