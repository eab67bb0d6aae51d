"""Colours, letters and shapes: the roles of Material's colour scheme, and what each means here.

Controls name roles and never colours, so that a change of theme or of the size of letters is one
change of the page: the client repaints, and nothing is drawn anew in Python.
"""

from typing import Final

import flet as ft
import msgspec

# --- What each role means ---

RAIL: Final = ft.Colors.SURFACE_CONTAINER_LOWEST
SIDE: Final = ft.Colors.SURFACE_CONTAINER_LOW
GROUND: Final = ft.Colors.SURFACE
RAISED: Final = ft.Colors.SURFACE_CONTAINER
CHOSEN: Final = ft.Colors.SURFACE_CONTAINER_HIGH
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
FONT: Final = "Roboto"
MONO: Final = "Mono"
EMOJI: Final = "emoji"
CJK: Final = "cjk"


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


DARK: Final = Palette(
    rail="#0B0D12", side="#11141B", ground="#161A23", raised="#1E2430", chosen="#2A3242",
    text="#E8ECF4", quiet="#A6B0C2", faint="#8B96AB", line="#2A3242",
    accent="#8E9BFF", on_accent="#0B0D12", good="#35D07F", warning="#F5B84B",
    bad="#FF7A80", on_bad="#0B0D12", mention="#3A3320",
)  # fmt: skip
LIGHT: Final = Palette(
    rail="#E3E7EF", side="#EEF1F6", ground="#FFFFFF", raised="#F3F5F9", chosen="#DCE2EE",
    text="#161A23", quiet="#475063", faint="#596377", line="#D3DAE6",
    accent="#4353D9", on_accent="#FFFFFF", good="#0B6B3A", warning="#7A5200",
    bad="#B3261E", on_bad="#FFFFFF", mention="#FFF3D6",
)  # fmt: skip
HIGH_CONTRAST: Final = Palette(
    rail="#000000", side="#000000", ground="#000000", raised="#0F0F0F", chosen="#333333",
    text="#FFFFFF", quiet="#F0F0F0", faint="#D8D8D8", line="#FFFFFF",
    accent="#B8C1FF", on_accent="#000000", good="#6CFFA8", warning="#FFD479",
    bad="#FF9DA1", on_bad="#000000", mention="#3D3000",
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
            **{
                style: ft.TextStyle(
                    size=size * scale,
                    weight=weight,
                    font_family=FONT,
                    font_family_fallback=[EMOJI, CJK],
                    height=1.35,
                )
                for style, (size, weight) in _SIZES.items()
            }
        ),
        scaffold_bgcolor=palette.rail,
        visual_density=ft.VisualDensity.COMPACT,
        page_transitions=ft.PageTransitionsTheme() if motion else _still(),
        splash_color=None if motion else ft.Colors.TRANSPARENT,
        tooltip_theme=ft.TooltipTheme(wait_duration=400),
        scrollbar_theme=ft.ScrollbarTheme(thickness=6, radius=3),
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
        surface_tint=palette.ground,
        shadow="#000000",
        scrim="#000000",
    )
