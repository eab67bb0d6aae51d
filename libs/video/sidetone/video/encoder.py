"""Pictures to VP8, in this thread. See `encoding` for a process of its own.

Colours are BT.601 in studio range, which is what VP8 means (RFC 6386 section 9.2).
"""

from fractions import Fraction
from typing import Any, Final, cast

import av
from av.video.frame import PictureType
from av.video.reformatter import Interpolation, VideoReformatter

from sidetone.video import Pixels, Size
from sidetone.video.encoded import Encoded
from sidetone.video.quality import Quality

_TICKS_PER_SECOND: Final = 90_000
# libvpx takes no frame of a time that it has seen.
_TICKS_MIN: Final = 1
_CREDIT_FRAMES_MAX: Final = 1.5
_FOREVER: Final = 1 << 30
_OPTIONS: Final = {
    "deadline": "realtime",
    # A fixed speed: the positive ones follow the clock, and so whatever else the machine does.
    "cpu-used": "-6",
    "lag-in-frames": "0",
    # What is only noise is not coded anew; a still screen costs nothing.
    "static-thresh": "100",
    "qmin": "4",
    "qmax": "56",
    # Half a second of pictures at most: more would be waited for at the other end.
    "max-intra-rate": "700",
}


class Vp8Encoder:
    """Encodes pictures of one size, which the encoder scales them to.

    The stream is reliable up to a gap, after which a keyframe follows: so libvpx's resilience
    against loss, which costs bits in every frame, is not asked for.
    """

    def __init__(self, size: Size, quality: Quality) -> None:
        self.size = size
        self._reformatter = VideoReformatter()
        self._rate_max = self._rate = quality.bits_per_second_max
        self._pts = 0
        self._at: float | None = None
        self._interval_seconds = 1 / quality.frames_per_second
        codec = av.CodecContext.create("libvpx", "w")
        codec.width, codec.height = size
        codec.pix_fmt = "yuv420p"
        codec.time_base = Fraction(1, _TICKS_PER_SECOND)
        codec.framerate = Fraction(quality.frames_per_second)
        codec.bit_rate = self._rate_max
        codec.gop_size = _FOREVER
        codec.thread_count = 1
        codec.options = dict(_OPTIONS)
        self._codec = codec

    def set_rate(self, bits_per_second: int) -> None:
        """Use so many bits a second from the next frame on, at most what the quality allows."""
        self._rate = min(bits_per_second, self._rate_max)

    def encode(self, pixels: Pixels, at_seconds: float, *, keyframe: bool = False) -> Encoded:
        """Encode a picture that was taken at *at_seconds* of any monotonic clock.

        libvpx can change its rate while it runs, but PyAV hands it no such wish. It can be told
        another time, though: bits for each frame are the rate by the time since the last one, so
        its clock goes slower by as much as the rate is to be lower. No keyframe is needed.
        """
        frame = self._reformatter.reformat(
            av.VideoFrame.from_numpy_buffer(pixels, format="bgra"),
            width=self.size.width,
            height=self.size.height,
            format="yuv420p",
            interpolation=Interpolation.BILINEAR,
        )
        since = self._interval_seconds if self._at is None else at_seconds - self._at
        # A pause is no credit: one large frame would cause the next pause.
        since = min(since, self._interval_seconds * _CREDIT_FRAMES_MAX)
        self._at = at_seconds
        ticks = max(_TICKS_MIN, round(since * _TICKS_PER_SECOND * self._rate / self._rate_max))
        frame.time_base = self._codec.time_base
        frame.pts = self._pts
        frame.duration = ticks
        self._pts += ticks
        frame.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = cast("list[av.Packet[Any]]", self._codec.encode(frame))  # pyright: ignore[reportUnknownMemberType]
        data = b"".join(bytes(packet) for packet in packets)
        return Encoded(data, any(packet.is_keyframe for packet in packets), self.size)
