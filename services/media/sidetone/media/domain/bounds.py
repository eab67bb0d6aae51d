"""What a picture may be before it is made anew, and how large it is afterwards."""

import msgspec

from sidetone.protocol.files import FilePurpose

PREVIEW_SIDE_PX = 400
_SIDES_PX: dict[FilePurpose, int] = {"avatar": 512, "icon": 256, "emoji": 128, "attachment": 16384}


class Bounds(msgspec.Struct, frozen=True):
    """How a picture is made anew: it fits *side_px* afterwards, and has a preview of *preview_px*.

    What has more pixels in a frame, more frames, or more pixels in all of its frames is refused
    before it is decoded.
    """

    side_px: int
    preview_px: int = PREVIEW_SIDE_PX
    frame_pixels_max: int = 32_000_000
    frames_max: int = 400
    pixels_max: int = 64_000_000


class Picture(msgspec.Struct, frozen=True):
    """A picture made anew, with nothing in it but what one sees."""

    media_type: str
    content: bytes
    width: int
    height: int
    preview: bytes


# The format of every preview.
PREVIEW_TYPE = "image/webp"


def bounds_of(purpose: FilePurpose) -> Bounds:
    """Return the bounds of a picture for *purpose*."""
    return Bounds(_SIDES_PX[purpose])
