"""Colours of roles made readable: of whatever lightness they are, names keep WCAG AA.

Contrast and relative luminance are those of WCAG 2.1 (1.4.3): ratios from 1 to 21, of sRGB.
"""

import colorsys
from functools import lru_cache
from typing import Final

CONTRAST_MIN: Final = 4.5
# Below it sRGB is linear.
_LINEAR_MAX: Final = 0.04045
# Halvings of the interval of lightness: finer than one step of eight bits.
_STEPS: Final = 10


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours ``#RRGGBB``, whichever is the lighter.

    >>> round(contrast("#000000", "#FFFFFF"), 1), contrast("#123456", "#123456")
    (21.0, 1.0)
    """
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=1_024)
def readable(color: int, ground: str) -> str:
    """Return 0xRRGGBB *color* as ``#RRGGBB`` that can be read on *ground*.

    Its hue stays; its lightness goes only as far from the ground as it must.

    >>> readable(0x8E9BFF, "#11141B")
    '#8E9BFF'
    """
    wished = f"#{color:06X}"
    if contrast(wished, ground) >= CONTRAST_MIN:
        return wished
    red, green, blue = _channels(wished)
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    # Towards whichever end is farther: white above a dark ground, black above a light one.
    end = 1.0 if contrast("#FFFFFF", ground) > contrast("#000000", ground) else 0.0
    unread, read = lightness, end
    for _ in range(_STEPS):
        middle = (unread + read) / 2
        if contrast(_hex(hue, middle, saturation), ground) >= CONTRAST_MIN:
            read = middle
        else:
            unread = middle
    return _hex(hue, read, saturation)


def _channels(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(hue: float, lightness: float, saturation: float) -> str:
    return "#" + "".join(
        f"{round(255 * part):02X}" for part in colorsys.hls_to_rgb(hue, lightness, saturation)
    )


@lru_cache(maxsize=1_024)
def _luminance(color: str) -> float:
    """Return the relative luminance (WCAG 2.1), 0 to 1."""
    red, green, blue = (
        part / 12.92 if part <= _LINEAR_MAX else ((part + 0.055) / 1.055) ** 2.4
        for part in _channels(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
