"""The eight-byte header of a VX1 frame: all that the delivery service may read.

No key and no cipher here; `media` seals and opens. `parse_header` returns nothing for what is not
a VX1 frame, because on the media path garbage is an everyday event.
"""

import struct
from typing import Final, NamedTuple

from sidetone.e2ee.primitives import TAG_LENGTH
from sidetone.e2ee.schedule import MediaKind

HEADER_LENGTH: Final = 8
FRAME_LENGTH_MIN: Final = HEADER_LENGTH + TAG_LENGTH
DATAGRAM_LENGTH_MAX: Final = 1000
VIDEO_LENGTH_MAX: Final = 2**20
LOW_MAX: Final = 7

_VERSION: Final = 1
_HEADER: Final = struct.Struct(">BBHI")
_KINDS: Final[tuple[MediaKind | None, ...]] = (
    MediaKind.AUDIO,
    MediaKind.VIDEO,
    MediaKind.DATA,
    None,
)


class Header(NamedTuple):
    """A frame's header.

    *low* is the three low bits of the first byte: loudness 1..7 (0 withheld) of audio, for video
    bit 2 keyframe and bits 1-0 spatial layer. *epoch* is the epoch number modulo 256.
    """

    kind: MediaKind
    end: bool
    low: int
    epoch: int
    sender: int
    counter: int

    def pack(self) -> bytes:
        """Pack to eight bytes: `vv kk E sss`, epoch, sender of two bytes, counter of four."""
        first = _VERSION << 6 | self.kind << 4 | self.end << 3 | self.low
        return _HEADER.pack(first, self.epoch, self.sender, self.counter)


def parse_header(frame: bytes) -> Header | None:
    """Read the header of a whole frame; None when size or version are not those of VX1.

    Audio and data are at most 1,000 bytes, one datagram; video is at most 1 MiB.
    """
    length = len(frame)
    if length < FRAME_LENGTH_MIN:
        return None
    _, epoch, sender, counter = _HEADER.unpack_from(frame)
    first = frame[0]
    kind = _KINDS[first >> 4 & 3]
    if first >> 6 != _VERSION or kind is None or length > length_max(kind):
        return None
    return Header(kind, bool(first & 8), first & LOW_MAX, epoch, sender, counter)


def length_max(kind: MediaKind) -> int:
    """Tell the longest frame of a kind, in bytes."""
    return VIDEO_LENGTH_MAX if kind is MediaKind.VIDEO else DATAGRAM_LENGTH_MAX
