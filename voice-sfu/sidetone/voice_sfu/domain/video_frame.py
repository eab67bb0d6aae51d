"""One video frame as it comes in: its head is held back until it can be judged, the rest is not.

What has passed is gone: a frame is forwarded while it arrives, so a rule that is broken late ends
it in the middle, for all who receive it.
"""

from enum import Enum

from sidetone.e2ee.frames import FRAME_LENGTH_MIN, VIDEO_LENGTH_MAX, Header, parse_header
from sidetone.e2ee.schedule import MediaKind
from sidetone.protocol.ids import Sender

# Nothing for so long, and the rest will come too late to be of use.
STALL_SECONDS = 3.0
# The largest frame at 600 kbit/s, with some patience; who drips bytes holds a stream no longer.
FRAME_SECONDS_MAX = 15.0

_KEYFRAME = 4
_LAYER = 3


class Cut(Enum):
    """Why a stream ended before its frame was whole; the value is its QUIC error code."""

    SIZE = 1
    FORMAT = 2
    KIND = 3
    SENDER = 4
    RATE = 5
    STALLED = 6
    RIGHTS = 7
    BROKEN_OFF = 8
    OVERTAKEN = 9
    SLOW = 10
    UNWANTED = 11
    LEFT = 12


class IncomingFrame:
    """A frame that *sender* shows. Times are seconds of any monotonic clock."""

    def __init__(self, sender: Sender, now: float) -> None:
        self.header: Header | None = None
        self._sender = sender
        self._head = bytearray()
        self._length = 0
        self._began_at = now
        self._heard_at = now

    @property
    def is_keyframe(self) -> bool:
        """Whether a decoder can begin here; known with the header."""
        return self.header is not None and bool(self.header.low & _KEYFRAME)

    @property
    def layer(self) -> int:
        """The spatial layer, 0 to 3; known with the header."""
        return self.header.low & _LAYER if self.header is not None else 0

    def feed(self, data: bytes, now: float, *, ended: bool) -> bytes | Cut:
        """Return what may go on now, or why the frame is at its end.

        Nothing goes on before the header is known to be good.
        """
        self._heard_at = now
        self._length += len(data)
        if self._length > VIDEO_LENGTH_MAX:
            return Cut.SIZE
        if self.header is not None:
            return data
        self._head += data
        if len(self._head) < FRAME_LENGTH_MIN:
            return Cut.SIZE if ended else b""
        return self._judge(bytes(self._head))

    def is_late(self, now: float) -> bool:
        """Tell whether the sender has stalled, or takes too long in all."""
        return now - self._heard_at >= STALL_SECONDS or now - self._began_at >= FRAME_SECONDS_MAX

    def _judge(self, head: bytes) -> bytes | Cut:
        header = parse_header(head[:FRAME_LENGTH_MIN])
        if header is None:
            return Cut.FORMAT
        if header.kind is not MediaKind.VIDEO:
            return Cut.KIND
        if header.sender != self._sender:
            return Cut.SENDER
        self.header = header
        self._head.clear()
        return head
