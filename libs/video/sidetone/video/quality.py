"""How large, how often and at what rate a screen is sent. Pure."""

from typing import Final

import msgspec

from sidetone.video import Size


class Quality(msgspec.Struct, frozen=True):
    """The largest picture, how many a second, and the bits a second that are used at most."""

    size_max: Size
    frames_per_second: int
    bits_per_second_max: int


QUALITIES: Final = {
    "720p15": Quality(Size(1280, 720), 15, 2_000_000),
    "1080p15": Quality(Size(1920, 1080), 15, 3_500_000),
    "720p30": Quality(Size(1280, 720), 30, 3_000_000),
}
"""What an owner may choose from, by the names that settings keep."""

BITS_PER_SECOND_MIN: Final = 150_000
"""Below this text cannot be read: a viewer whose path carries less misses pictures instead."""


def fitted(size: Size, size_max: Size) -> Size:
    """Return *size* made to fit into *size_max*: same aspect, never enlarged, even numbers.

    VP8 halves the resolution of colours, so that odd sizes would lose a row.

    >>> fitted(Size(1920, 1200), Size(1280, 720))
    Size(width=1152, height=720)
    >>> fitted(Size(641, 359), Size(1280, 720))
    Size(width=640, height=358)
    """
    scale = min(1.0, size_max.width / size.width, size_max.height / size.height)
    return Size(
        max(2, round(size.width * scale) // 2 * 2), max(2, round(size.height * scale) // 2 * 2)
    )
