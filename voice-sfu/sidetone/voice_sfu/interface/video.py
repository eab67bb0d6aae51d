"""Video streams over aioquic: one unidirectional stream for each frame, in both directions.

What a viewer is to be given waits here, not in aioquic: it is handed over only as the path takes
it, so that it can still be forgotten, and so that a voice never waits behind it. aioquic writes
datagrams into a packet before streams, but only while the congestion window has room: a part of
the window is left to them.
"""

from collections.abc import Callable, Iterable
from typing import Any

from aioquic.quic.connection import QuicConnection

from sidetone.protocol.ids import Sender
from sidetone.voice_sfu.domain.video_frame import Cut
from sidetone.voice_sfu.domain.video_queue import FrameId, Piece, VideoQueue

# Frames of a client that may be on their way to us at once.
STREAMS_MAX = 32
# Of the congestion window, what is kept for sound and control: a quarter, and no more than this.
KEPT_BYTES_MAX = 16_000
# No credit is given on a stream while more than this is missing in it, for it waits in memory.
GAP_BYTES_MAX = 256 * 1024
# What a packet full of video holds at least.
_PACKET_BYTES = 1000
# A bit of the numbers of streams (RFC 9000, section 2.1).
_UNIDIRECTIONAL = 0b10


def is_video(stream: int) -> bool:
    """Tell whether a stream of this number carries video, in whichever direction."""
    return bool(stream & _UNIDIRECTIONAL)


def bound_streams(quic: QuicConnection) -> None:
    """Bound what a peer can have us keep; before the handshake, in which limits are told.

    aioquic doubles a stream's credit when half is used, gaps included: a peer that sends only the
    last byte of each credit would have it reserve memory without end.
    """
    connection: Any = quic
    streams = connection._local_max_streams_uni  # noqa: SLF001
    streams.value = streams.sent = STREAMS_MAX
    give_credit = connection._write_stream_limits  # noqa: SLF001

    def give_careful(*, builder: object, space: object, stream: Any) -> None:  # noqa: ANN401
        receiver = stream.receiver
        if receiver.highest_offset - receiver.starting_offset() < GAP_BYTES_MAX:
            give_credit(builder=builder, space=space, stream=stream)

    connection._write_stream_limits = give_careful  # noqa: SLF001


class QuicVideo:
    """The video streams of one connection.

    *wake* has it transmit soon; *excuse* allows so many packets more to arrive in this second.
    """

    def __init__(
        self, quic: QuicConnection, wake: Callable[[], None], excuse: Callable[[float], None]
    ) -> None:
        self._quic: Any = quic
        self._wake = wake
        self._excuse = excuse
        self._queue = VideoQueue()
        # Streams of which more is to come, and those that aioquic may not have sent all of.
        self._open: dict[FrameId, int] = {}
        self._handed: set[int] = set()

    # --- what the room asks for ---

    def stop(self, stream: int, why: Cut) -> None:
        """Ask the client to send no more on a stream that it opened."""
        if stream in self._quic._streams:  # noqa: SLF001
            self._quic.stop_stream(stream, why.value)
            self._wake()

    def begin(self, frame: FrameId, now: float, *, keyframe: bool) -> None:
        """Expect bytes of *frame*, for the client."""
        self._queue.begin(frame, now, keyframe=keyframe)

    def add(self, piece: Piece) -> bool:
        """Send more of a frame; False if it was not begun, or cut."""
        if not self._queue.add(piece):
            return False
        self._wake()
        return True

    def unfinished(self, source: Sender | None = None) -> list[FrameId]:
        """Return the frames that still wait in part, of *source* or of all."""
        return self._queue.unfinished(source)

    def cut(self, frames: Iterable[FrameId], why: Cut) -> int:
        """Send no more of *frames*; returns how many of them were unfinished."""
        cut = self._queue.cut(frames)
        for frame in cut:
            stream = self._open.pop(frame, None)
            if stream is not None:
                self._reset(stream, why)
        return len(cut)

    def is_late(self, now: float) -> bool:
        """Tell whether the client is too slow for what it is to be sent."""
        return self._queue.is_late(now)

    # --- what the driver asks for ---

    def excuse(self, count: int) -> None:
        """Hold the packets that so many bytes of video came in, or go out in, against nobody."""
        self._excuse(count / _PACKET_BYTES)

    def pump(self) -> None:
        """Hand over what the path takes now, before aioquic sends."""
        if not self._queue:
            return
        streams_left = self._quic._remote_max_streams_uni - (  # noqa: SLF001
            self._quic.get_next_available_stream_id(is_unidirectional=True) >> 2
        )
        handed = 0
        for piece in self._queue.take(self._room(), streams_left):
            self._hand_over(piece)
            handed += len(piece.data)
        if handed:
            # Each packet of it will be acknowledged.
            self.excuse(handed)

    def stopped(self, stream: int) -> None:
        """Note that the client wants no more of a stream of ours; aioquic has reset it."""
        for frame, ours in list(self._open.items()):
            if ours == stream:
                del self._open[frame]
                self._queue.cut([frame])

    def close(self) -> None:
        """Send nothing more."""
        self.cut(self._queue.unfinished(), Cut.LEFT)

    # --- inside ---

    def _room(self) -> int:
        loss = self._quic._loss  # noqa: SLF001
        window = int(loss.congestion_window)
        kept = min(window // 4, KEPT_BYTES_MAX)
        return window - kept - int(loss.bytes_in_flight) - self._unsent()

    def _unsent(self) -> int:
        """Return what aioquic was handed and has not sent: paced, or without credit."""
        unsent = 0
        for stream in list(self._handed):
            found = self._quic._streams.get(stream)  # noqa: SLF001
            waiting = 0
            if found is not None and not found.sender.buffer_is_empty:
                waiting = found.sender._buffer_stop - found.sender.highest_offset  # noqa: SLF001
            if waiting:
                unsent += int(waiting)
            else:
                self._handed.discard(stream)
        return unsent

    def _hand_over(self, piece: Piece) -> None:
        stream = self._open.get(piece.frame)
        if stream is None:
            stream = int(self._quic.get_next_available_stream_id(is_unidirectional=True))
            self._open[piece.frame] = stream
        self._quic.send_stream_data(stream, piece.data, piece.ended)
        self._handed.add(stream)
        if piece.ended:
            del self._open[piece.frame]

    def _reset(self, stream: int, why: Cut) -> None:
        found = self._quic._streams.get(stream)  # noqa: SLF001
        if found is None:
            return
        self._quic.reset_stream(stream, why.value)
        # aioquic would keep it until the reset is acknowledged, which may be never.
        found.sender._buffer.clear()  # noqa: SLF001
        self._handed.discard(stream)
        self._wake()
