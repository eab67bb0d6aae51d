"""Video frames on QUIC streams, one for each: what waits to be sent, and what has come in part.

Frames that wait are handed over only as the path takes them, so that our own voice never waits
behind a picture. Names no QUIC library: the link hands in what it knows.
"""

import asyncio
from collections import deque
from typing import Final, NamedTuple

from sidetone.e2ee.frames import FRAME_LENGTH_MIN, HEADER_LENGTH, VIDEO_LENGTH_MAX

_FRAMES_WAITING_MAX: Final = 4
_STREAMS_MAX: Final = 256
# Every second stream number that the node opens is unidirectional, in steps of four (RFC 9000).
FIRST_STREAM: Final = 3
_STREAM_STEP: Final = 4
# Version 1 and kind 1 in the first four bits of a header (VX1 section 2.5).
_VIDEO_BITS: Final = 0b0101


class Arrival(NamedTuple):
    """A video frame of *sender* that came between two moments, in seconds of the loop's clock.

    Without *frame* it was cut, and is missing.
    """

    sender: int
    frame: bytes | None
    began_at: float
    ended_at: float


class Piece(NamedTuple):
    """Bytes of a frame that the path takes now: a new stream *begins*, or is *ended*."""

    data: bytes
    begins: bool
    ended: bool


class OutgoingVideo:
    """Frames that wait to be sent, in order, on one connection; the first may be sent in part."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[bytes, asyncio.Future[bool]]] = deque()
        self._sent = 0
        self._closed = False

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, frame: bytes) -> asyncio.Future[bool]:
        """Let *frame* wait; done when the path has taken it, with False if it never will.

        Who does not wait for that finds the queue full: the frame is refused at once.
        """
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._closed or len(self._waiting) >= _FRAMES_WAITING_MAX:
            taken.set_result(False)
        else:
            self._waiting.append((frame, taken))
        return taken

    def take(self, bytes_max: int, new_frames_max: int) -> list[Piece]:
        """Return what is next, up to so many bytes and frames that were not begun.

        Frames that it completes count as taken.
        """
        pieces: list[Piece] = []
        while self._waiting and bytes_max > 0:
            frame, taken = self._waiting[0]
            begins = self._sent == 0
            if begins and new_frames_max <= 0:
                break
            new_frames_max -= begins
            data = frame[self._sent : self._sent + bytes_max]
            ended = self._sent + len(data) == len(frame)
            pieces.append(Piece(data, begins, ended))
            bytes_max -= len(data)
            self._sent += len(data)
            if ended:
                self._waiting.popleft()
                self._sent = 0
                _done(taken, sent=True)
        return pieces

    def break_off(self) -> None:
        """Give up the frame that is on its way: the node wants no more of it."""
        if self._sent:
            _, taken = self._waiting.popleft()
            self._sent = 0
            _done(taken, sent=False)

    def close(self) -> None:
        """Send nothing more."""
        self._closed = True
        while self._waiting:
            _done(self._waiting.popleft()[1], sent=False)


class _Stream:
    def __init__(self, now: float) -> None:
        self.began_at = now
        self.ended_at: float | None = None
        self.data = bytearray()
        self.cut = False

    @property
    def sender(self) -> int | None:
        """Whose frame it is; None before its header is there, and for what is no video frame."""
        if len(self.data) < HEADER_LENGTH or self.data[0] >> 4 != _VIDEO_BITS:
            return None
        return int.from_bytes(self.data[2:4], "big")


class IncomingVideo:
    """Streams of a node, put together to frames in the order in which they were opened.

    A frame waits for those of the same sender that were opened before it, and for any that nothing
    is known of yet: they are on their way, or will be cut.
    """

    def __init__(self) -> None:
        self._streams: dict[int, _Stream] = {}
        self._next = FIRST_STREAM

    def received(self, stream: int, data: bytes, now: float, *, ended: bool) -> list[Arrival]:
        """Take bytes of *stream*, in order, and return the frames that may be looked at now."""
        state = self._state(stream, now)
        if state is not None and not state.cut:
            state.data += data
            if len(state.data) > VIDEO_LENGTH_MAX:
                state.cut = True
            if ended or state.cut:
                state.ended_at = now
        return self._complete()

    def reset(self, stream: int, now: float) -> list[Arrival]:
        """Note that *stream* was cut."""
        state = self._state(stream, now)
        if state is not None and state.ended_at is None:
            state.cut, state.ended_at = True, now
        return self._complete()

    def _state(self, stream: int, now: float) -> _Stream | None:
        self._next = max(self._next, stream - _STREAMS_MAX * _STREAM_STEP)
        while self._next <= stream:
            # Opened before this one, and not heard of yet.
            self._streams[self._next] = _Stream(now)
            self._next += _STREAM_STEP
        while len(self._streams) > _STREAMS_MAX:
            del self._streams[next(iter(self._streams))]
        return self._streams.get(stream)

    def _complete(self) -> list[Arrival]:
        arrivals: list[Arrival] = []
        unfinished: set[int] = set()
        for number, state in list(self._streams.items()):
            sender = state.sender
            if state.ended_at is None:
                if sender is None:
                    break
                unfinished.add(sender)
            elif sender not in unfinished:
                del self._streams[number]
                if sender is not None:
                    whole = not state.cut and len(state.data) >= FRAME_LENGTH_MIN
                    frame = bytes(state.data) if whole else None
                    arrivals.append(Arrival(sender, frame, state.began_at, state.ended_at))
        return arrivals


def _done(taken: asyncio.Future[bool], *, sent: bool) -> None:
    if not taken.done():
        taken.set_result(sent)
