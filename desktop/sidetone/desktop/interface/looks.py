"""How a window looks by what is set: the theme, the size of letters, what moves."""

import flet as ft

from sidetone.desktop.domain.preferences import Appearance
from sidetone.desktop.interface import theme


def dress(page: ft.Page, looks: Appearance) -> None:
    """Give *page* the colours, letters and motion of *looks*; the client repaints by itself."""
    scale, motion = looks.font_percent / 100, not looks.reduced_motion
    contrast = looks.theme == "high_contrast"
    dark = theme.HIGH_CONTRAST if contrast else theme.DARK
    light = theme.HIGH_CONTRAST if contrast else theme.LIGHT
    page.dark_theme = theme.theme_of(dark, scale, motion=motion)
    page.theme = theme.theme_of(light, scale, motion=motion)
    page.theme_mode = {
        "system": ft.ThemeMode.SYSTEM,
        "dark": ft.ThemeMode.DARK,
        "light": ft.ThemeMode.LIGHT,
        "high_contrast": ft.ThemeMode.DARK,
    }[looks.theme]
    page.bgcolor = theme.RAIL
