"""VP8 to pictures, and pictures to JPEG.

What is decoded comes from other members: sizes are checked before memory is given. PyAV lets the
interpreter go while it decodes, scales and encodes.
"""

from fractions import Fraction
from typing import Any, Final, cast

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from sidetone.video import Size, VideoError
from sidetone.video.quality import fitted

PIXELS_MAX: Final = 1920 * 1200
"""Larger pictures than any quality makes are not decoded."""

_KEYFRAME_HEADER_BYTES: Final = 10
_START_CODE: Final = b"\x9d\x01\x2a"
_SIDE_MASK: Final = 0x3FFF


def keyframe_size(data: bytes) -> Size | None:
    """Return the size that a keyframe says it has; None for any other frame (RFC 6386, 9.1)."""
    if len(data) < _KEYFRAME_HEADER_BYTES or data[0] & 1 or data[3:6] != _START_CODE:
        return None
    width, height = (int.from_bytes(data[at : at + 2], "little") & _SIDE_MASK for at in (6, 8))
    return Size(width, height)


class Vp8Decoder:
    """Decodes frames of one sender, in order, from a keyframe on."""

    def __init__(self) -> None:
        self._codec: av.VideoCodecContext | None = None

    def decode(self, data: bytes) -> VideoFrame | None:
        """Return the picture; None for a frame that shows nothing.

        No bytes are a frame that is missing. Raises ``VideoError`` when nothing can be decoded:
        the next must be a keyframe.
        """
        if not data:
            self._codec = None
        size = keyframe_size(data)
        if size is not None:
            if not 0 < size.width * size.height <= PIXELS_MAX:
                self._codec = None
                raise VideoError(f"a picture of {size.width} x {size.height} is too large")
            if self._codec is None:
                self._codec = av.CodecContext.create("vp8", "r")
                self._codec.thread_count = 1
        if self._codec is None:
            raise VideoError("the picture before is missing")
        try:
            frames = self._codec.decode(av.Packet(data))  # pyright: ignore[reportUnknownMemberType]
        except FFmpegError:
            self._codec = None
            raise VideoError("a picture is garbled") from None
        return frames[-1] if frames else None


class JpegWriter:
    """Turns decoded pictures into JPEG of a size that fits where they are shown.

    JPEG because it is the cheapest of what every page and window shows: at 1280 x 720, 8 ms
    against 40 for WebP.
    """

    # libavcodec's scale, from 2 (best) to 31: text has no rings around it that would be seen.
    _QUANTISER = 5

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._codec: av.VideoCodecContext | None = None
        self._size = Size(0, 0)
        self._number = 0

    def write(self, frame: VideoFrame, size_max: Size) -> tuple[bytes, Size]:
        """Return *frame* as JPEG that fits into *size_max*, and its size."""
        size = fitted(Size(frame.width, frame.height), size_max)
        scaled = self._reformatter.reformat(
            frame,
            width=size.width,
            height=size.height,
            format="yuvj420p",
            interpolation=Interpolation.BILINEAR,
            dst_color_range=ColorRange.JPEG,
        )
        codec = self._codec
        if codec is None or size != self._size:
            codec, self._codec, self._size = _mjpeg(size, self._QUANTISER), None, size
            self._codec = codec
        self._number += 1
        scaled.pts = self._number
        packets = cast("list[av.Packet[Any]]", codec.encode(scaled))  # pyright: ignore[reportUnknownMemberType]
        return b"".join(bytes(packet) for packet in packets), size


def _mjpeg(size: Size, quantiser: int) -> av.VideoCodecContext:
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height = size
    codec.pix_fmt = "yuvj420p"
    codec.time_base = Fraction(1, 1000)
    codec.thread_count = 1
    codec.options = {"qmin": str(quantiser), "qmax": str(quantiser), "huffman": "default"}
    return codec
