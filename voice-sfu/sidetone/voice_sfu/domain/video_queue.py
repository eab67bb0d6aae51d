"""Video that waits for one viewer, in the order in which it came, bounded in bytes and in time.

The pieces of a frame are the very objects that came in, so they exist once however many viewers
they wait for. Times are seconds of any monotonic clock.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from sidetone.e2ee.frames import VIDEO_LENGTH_MAX
from sidetone.protocol.ids import Sender

# The largest frame must fit, or who is slower than its sender would never see one.
WAITING_BYTES_MAX = VIDEO_LENGTH_MAX * 3 // 2
# A picture that is older is of no use; only a keyframe is worth more patience.
DELTA_SECONDS_MAX = 2.0
KEYFRAME_SECONDS_MAX = 10.0
# What a piece costs in memory besides its bytes.
_PIECE_BYTES = 128


class FrameId(NamedTuple):
    """A frame within its room: who shows it, and on which stream of theirs."""

    source: Sender
    stream: int


class Piece(NamedTuple):
    """Bytes of a frame; *ended* if they are its last."""

    frame: FrameId
    data: bytes
    ended: bool


class _Waiting(msgspec.Struct):
    keyframe: bool
    began_at: float
    taken: bool = False
    ended: bool = False


class VideoQueue:
    """What one viewer is still to be given."""

    def __init__(self) -> None:
        self._frames: dict[FrameId, _Waiting] = {}
        self._pieces: deque[Piece] = deque()
        self._waiting = 0

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def waiting_bytes(self) -> int:
        """How much waits, in memory that it takes."""
        return self._waiting

    def begin(self, frame: FrameId, now: float, *, keyframe: bool) -> None:
        """Expect bytes of *frame*."""
        self._frames[frame] = _Waiting(keyframe, now)

    def add(self, piece: Piece) -> bool:
        """Let more of a frame wait; False if it is of none that was begun, or that was cut."""
        state = self._frames.get(piece.frame)
        if state is None or state.ended:
            return False
        state.ended = piece.ended
        self._pieces.append(piece)
        self._waiting += _cost(piece)
        return True

    def take(self, bytes_max: int, new_frames_max: int) -> list[Piece]:
        """Return what is next, up to so many bytes, and frames that nothing was taken of yet."""
        taken: list[Piece] = []
        while self._pieces:
            piece = self._pieces[0]
            state = self._frames[piece.frame]
            if (piece.data and bytes_max <= 0) or (not state.taken and new_frames_max <= 0):
                break
            new_frames_max -= not state.taken
            state.taken = True
            piece = self._take_first(bytes_max)
            bytes_max -= len(piece.data)
            if piece.ended:
                del self._frames[piece.frame]
            taken.append(piece)
        return taken

    def unfinished(self, source: Sender | None = None) -> list[FrameId]:
        """Return the frames that were not taken to their end: of *source*, or all."""
        return [frame for frame in self._frames if source in {None, frame.source}]

    def cut(self, frames: Iterable[FrameId]) -> list[FrameId]:
        """Forget *frames*, with all that waits of them; returns those that were unfinished."""
        cut = {frame for frame in frames if self._frames.pop(frame, None) is not None}
        if cut:
            self._pieces = deque(piece for piece in self._pieces if piece.frame not in cut)
            self._waiting = sum(map(_cost, self._pieces))
        return sorted(cut)

    def is_late(self, now: float) -> bool:
        """Tell whether more waits, or for longer, than is of use."""
        if self._waiting > WAITING_BYTES_MAX:
            return True
        if not self._pieces:
            return False
        state = self._frames[self._pieces[0].frame]
        patience = KEYFRAME_SECONDS_MAX if state.keyframe else DELTA_SECONDS_MAX
        return now - state.began_at >= patience

    def _take_first(self, bytes_max: int) -> Piece:
        piece = self._pieces.popleft()
        self._waiting -= _cost(piece)
        if len(piece.data) <= bytes_max or not piece.data:
            return piece
        rest = piece._replace(data=piece.data[bytes_max:])
        self._pieces.appendleft(rest)
        self._waiting += _cost(rest)
        return Piece(piece.frame, piece.data[:bytes_max], ended=False)


def _cost(piece: Piece) -> int:
    return len(piece.data) + _PIECE_BYTES
