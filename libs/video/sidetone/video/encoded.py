"""One picture as VP8."""

import msgspec

from sidetone.video import Size


class Encoded(msgspec.Struct, frozen=True, tag="encoded"):
    """A frame; it needs all before it, back to the last keyframe."""

    data: bytes
    keyframe: bool
    size: Size
