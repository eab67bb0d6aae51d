"""Colours, letters and shapes: the roles of Material's colour scheme, and what each means here.

Controls name roles and never colours, so that a change of theme or of the size of letters is one
change of the page: the client repaints, and nothing is drawn anew in Python.
"""

from typing import Any, Final

import flet as ft
import msgspec

# --- What each role means ---

RAIL: Final = ft.Colors.SURFACE_CONTAINER_LOWEST
SIDE: Final = ft.Colors.SURFACE_CONTAINER_LOW
GROUND: Final = ft.Colors.SURFACE
RAISED: Final = ft.Colors.SURFACE_CONTAINER
CHOSEN: Final = ft.Colors.SURFACE_CONTAINER_HIGH
WELL: Final = ft.Colors.SURFACE_DIM
SHEET: Final = ft.Colors.SURFACE_BRIGHT
TEXT: Final = ft.Colors.ON_SURFACE
QUIET: Final = ft.Colors.ON_SURFACE_VARIANT
FAINT: Final = ft.Colors.OUTLINE
LINE: Final = ft.Colors.OUTLINE_VARIANT
ACCENT: Final = ft.Colors.PRIMARY
ON_ACCENT: Final = ft.Colors.ON_PRIMARY
GOOD: Final = ft.Colors.TERTIARY
WARNING: Final = ft.Colors.SECONDARY
BAD: Final = ft.Colors.ERROR
ON_BAD: Final = ft.Colors.ON_ERROR
MENTION: Final = ft.Colors.SECONDARY_CONTAINER

RADIUS: Final = 10
FONT: Final = "Inter"
MONO: Final = "JetBrains Mono"
EMOJI: Final = "emoji"
CJK: Final = "cjk"
# Where letters come from that our own font has not: Flet's, and those of the system.
_FALLBACK: Final = ["Roboto", EMOJI, CJK]


class Palette(msgspec.Struct, frozen=True):
    """The colours of one theme; text on its ground keeps WCAG AA (4.5:1), tested."""

    rail: str
    side: str
    ground: str
    raised: str
    chosen: str
    text: str
    quiet: str
    faint: str
    line: str
    accent: str
    on_accent: str
    good: str
    warning: str
    bad: str
    on_bad: str
    mention: str
    well: str
    sheet: str


DARK: Final = Palette(
    rail="#0B0D12", side="#11141B", ground="#161A23", raised="#1E2430", chosen="#2A3242",
    text="#E8ECF4", quiet="#A9B3C5", faint="#94A0B5", line="#2A3242",
    accent="#8E9BFF", on_accent="#0B0D12", good="#35D07F", warning="#F5B84B",
    bad="#FF7A80", on_bad="#0B0D12", mention="#332D20", well="#0F1219", sheet="#1B202B",
)  # fmt: skip
LIGHT: Final = Palette(
    rail="#E3E7EF", side="#EEF1F6", ground="#FFFFFF", raised="#F3F5F9", chosen="#DCE2EE",
    text="#161A23", quiet="#475063", faint="#596377", line="#D3DAE6",
    accent="#4353D9", on_accent="#FFFFFF", good="#0B6B3A", warning="#7A5200",
    bad="#B3261E", on_bad="#FFFFFF", mention="#FFF3D6", well="#F3F5F9", sheet="#FFFFFF",
)  # fmt: skip
HIGH_CONTRAST: Final = Palette(
    rail="#000000", side="#000000", ground="#000000", raised="#0F0F0F", chosen="#333333",
    text="#FFFFFF", quiet="#F0F0F0", faint="#D8D8D8", line="#FFFFFF",
    accent="#B8C1FF", on_accent="#000000", good="#6CFFA8", warning="#FFD479",
    bad="#FF9DA1", on_bad="#000000", mention="#3D3000", well="#000000", sheet="#0F0F0F",
)  # fmt: skip
PALETTES: Final = {"dark": DARK, "light": LIGHT, "high_contrast": HIGH_CONTRAST}

# Pixels at a scale of 1; what each style is used for stands in `kit.text`.
_SIZES: Final = {
    "headline_small": (22, ft.FontWeight.W_700),
    "title_large": (18, ft.FontWeight.W_700),
    "title_medium": (16, ft.FontWeight.W_700),
    "title_small": (14, ft.FontWeight.W_600),
    "body_large": (15, ft.FontWeight.W_400),
    "body_medium": (14, ft.FontWeight.W_400),
    "body_small": (12, ft.FontWeight.W_400),
    "label_large": (13, ft.FontWeight.W_600),
    "label_medium": (12, ft.FontWeight.W_600),
    "label_small": (11, ft.FontWeight.W_600),
}


def theme_of(palette: Palette, scale: float = 1.0, *, motion: bool = True) -> ft.Theme:
    """Return *palette* as Flet takes it, with letters *scale* times as large."""
    return ft.Theme(
        color_scheme=_scheme(palette),
        font_family=FONT,
        text_theme=ft.TextTheme(
            **{style: _letters(size * scale, weight) for style, (size, weight) in _SIZES.items()}
        ),
        scaffold_bgcolor=palette.rail,
        visual_density=ft.VisualDensity.COMPACT,
        page_transitions=ft.PageTransitionsTheme() if motion else _still(),
        splash_color=None if motion else ft.Colors.TRANSPARENT,
        scrollbar_theme=ft.ScrollbarTheme(thickness=6, radius=3),
        **_parts(palette, scale),
    )


def _parts(palette: Palette, scale: float) -> dict[str, Any]:
    """Return how single parts look."""
    return {
        "hover_color": ft.Colors.with_opacity(0.05, palette.text),
        "focus_color": ft.Colors.with_opacity(0.28, palette.accent),
        **_buttons(palette, scale),
        **_menus(palette, scale),
        "switch_theme": ft.SwitchTheme(
            thumb_color=_by_choice(palette.on_accent, palette.faint),
            track_color=_by_choice(palette.accent, palette.well),
            track_outline_color=_by_choice(palette.accent, palette.faint),
        ),
        "slider_theme": ft.SliderTheme(inactive_track_color=palette.chosen, track_height=4),
    }


def _by_choice(selected: str, other: str) -> dict[ft.ControlState, ft.ColorValue]:
    return {ft.ControlState.SELECTED: selected, ft.ControlState.DEFAULT: other}


def _buttons(palette: Palette, scale: float) -> dict[str, Any]:
    """Return how buttons look, and that one sees which has the focus of the keyboard."""
    shape = ft.RoundedRectangleBorder(radius=RADIUS)
    lit: dict[ft.ControlState, ft.ColorValue] = {
        ft.ControlState.HOVERED: ft.Colors.with_opacity(0.08, palette.text),
        ft.ControlState.FOCUSED: ft.Colors.with_opacity(0.28, palette.accent),
        ft.ControlState.PRESSED: ft.Colors.with_opacity(0.14, palette.text),
    }
    words = _letters(13 * scale, ft.FontWeight.W_600)
    quiet = ft.ButtonStyle(shape=shape, overlay_color=lit, text_style=words)
    return {
        "icon_button_theme": ft.IconButtonTheme(ft.ButtonStyle(shape=shape, overlay_color=lit)),
        "text_button_theme": ft.TextButtonTheme(quiet),
        "filled_button_theme": ft.FilledButtonTheme(ft.ButtonStyle(shape=shape, text_style=words)),
    }


def _menus(palette: Palette, scale: float) -> dict[str, Any]:
    """Return how menus and hints look: above all else, and told apart from it by an edge."""
    edge = ft.BorderSide(1, palette.line)
    return {
        "popup_menu_theme": ft.PopupMenuTheme(
            color=palette.sheet,
            elevation=12,
            shape=ft.RoundedRectangleBorder(radius=RADIUS, side=edge),
            menu_padding=ft.Padding.symmetric(vertical=6),
        ),
        "dropdown_theme": ft.DropdownTheme(
            menu_style=ft.MenuStyle(
                bgcolor=palette.sheet,
                elevation=12,
                shape=ft.RoundedRectangleBorder(radius=RADIUS),
                side=edge,
            )
        ),
        "tooltip_theme": ft.TooltipTheme(
            wait_duration=400,
            padding=ft.Padding.symmetric(horizontal=10, vertical=6),
            text_style=_letters(12 * scale, ft.FontWeight.W_400, palette.ground),
            decoration=ft.BoxDecoration(bgcolor=palette.text, border_radius=8),
        ),
    }


def _letters(size: float, weight: ft.FontWeight, color: str | None = None) -> ft.TextStyle:
    return ft.TextStyle(
        size=size,
        weight=weight,
        color=color,
        font_family=FONT,
        font_family_fallback=_FALLBACK,
        height=1.35,
        # Material spaces small letters for Roboto; Inter is drawn for screens as it is.
        letter_spacing=0,
    )


def _still() -> ft.PageTransitionsTheme:
    still = ft.PageTransitionTheme.NONE
    return ft.PageTransitionsTheme(linux=still, macos=still, windows=still)


def _scheme(palette: Palette) -> ft.ColorScheme:
    return ft.ColorScheme(
        primary=palette.accent,
        on_primary=palette.on_accent,
        primary_container=palette.chosen,
        on_primary_container=palette.text,
        secondary=palette.warning,
        on_secondary=palette.on_accent,
        secondary_container=palette.mention,
        on_secondary_container=palette.text,
        tertiary=palette.good,
        on_tertiary=palette.on_accent,
        error=palette.bad,
        on_error=palette.on_bad,
        error_container=palette.mention,
        on_error_container=palette.text,
        surface=palette.ground,
        on_surface=palette.text,
        on_surface_variant=palette.quiet,
        outline=palette.faint,
        outline_variant=palette.line,
        surface_container_lowest=palette.rail,
        surface_container_low=palette.side,
        surface_container=palette.raised,
        surface_container_high=palette.chosen,
        surface_container_highest=palette.chosen,
        inverse_surface=palette.text,
        on_inverse_surface=palette.ground,
        surface_dim=palette.well,
        surface_bright=palette.sheet,
        surface_tint=palette.ground,
        shadow="#000000",
        scrim="#000000",
    )
