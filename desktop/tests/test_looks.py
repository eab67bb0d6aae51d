"""What is written can be read: on every ground of every theme, by WCAG AA."""

import flet as ft
import pytest
from PIL import ImageFont

from sidetone.desktop.__main__ import ASSETS
from sidetone.desktop.domain.names import AVATAR_COLORS
from sidetone.desktop.domain.readable_color import CONTRAST_MIN, contrast
from sidetone.desktop.domain.wording import ENGLISH, LANGUAGES, Language, speak
from sidetone.desktop.infrastructure import catalogues
from sidetone.desktop.interface import kit, sections, theme
from sidetone.desktop.interface.servers import settings_view as server_settings
from sidetone.desktop.interface.settings import settings_view as own_settings

FONTS = ASSETS / "assets/fonts"

GROUNDS = ("rail", "side", "ground", "raised", "chosen", "mention", "well", "sheet")
INKS = ("text", "quiet", "faint", "accent", "good", "warning", "bad")


@pytest.mark.parametrize("name", theme.PALETTES)
def test_every_ink_can_be_read_on_every_ground(name: str) -> None:
    palette = theme.PALETTES[name]
    pairs = [
        (getattr(palette, ink), getattr(palette, ground)) for ink in INKS for ground in GROUNDS
    ]
    pairs += [
        (palette.on_accent, palette.accent),
        (palette.on_accent, palette.warning),
        (palette.on_bad, palette.bad),
        # Notices and hints are the other way round.
        (palette.ground, palette.text),
    ]
    assert [pair for pair in pairs if contrast(*pair) < CONTRAST_MIN] == []


def test_initials_can_be_read_on_every_face() -> None:
    assert [each for each in AVATAR_COLORS if contrast(kit.INITIALS, each) < CONTRAST_MIN] == []


def test_what_a_theme_means_by_a_role_has_a_color() -> None:
    """A role that the scheme leaves out is coloured by Material, which knows nothing of ours."""
    roles = {each.value for each in vars(theme).values() if isinstance(each, ft.Colors)}
    for palette in theme.PALETTES.values():
        scheme = theme.theme_of(palette).color_scheme
        assert scheme is not None
        assert [role for role in roles if getattr(scheme, _field(role)) is None] == []


def _field(role: str) -> str:
    """Return the field of the scheme that *role* is.

    >>> _field("onsurfacevariant")
    'on_surface_variant'
    """
    fields = type(theme.theme_of(theme.DARK).color_scheme).__dataclass_fields__
    return next(field for field in fields if field.replace("_", "") == role.lower())


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_the_parts_of_settings_fit_into_their_list(spoken: Language) -> None:
    """What is cut where there is no room is never a word of ours."""
    speak(catalogues.load(spoken))
    titles = [each.title for each in (*own_settings._sections(), *server_settings._sections())]
    speak(ENGLISH)
    assert [each for each in titles if _width(each, 14, 600) > sections.WORDS_WIDTH] == []


def _width(text: str, pixels: int, weight: int) -> float:
    """Return how wide *text* is; what Inter has no letters for is a square."""
    font = ImageFont.truetype(FONTS / f"inter-{weight}.woff2", pixels)
    return sum(pixels if ord(each) > 0x2E7F else font.getlength(each) for each in text)
