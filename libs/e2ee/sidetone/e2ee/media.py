"""Frames of one sender in one epoch: sealing with a counter, opening against forgery and replay.

Section 2.5 of VX1. Opening has a fixed order: replay window, generation, cipher; and only a frame
that opened moves the window or the ratchet, so a forger can make us do bounded work and no more.
Which epoch a frame belongs to is decided in `epochs`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sidetone.e2ee.aead import FrameKey, FrameKeyMaker
from sidetone.e2ee.fast_aead import FRAME_KEY
from sidetone.e2ee.frames import (
    FRAME_LENGTH_MIN,
    LOW_MAX,
    Header,
    length_max,
)
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import GENERATION_BITS, MediaKind, frame_key, ratchet

COUNTER_MAX: Final = 2**32 - 1
GENERATIONS_AHEAD_MAX: Final = 64
_WINDOW_AUDIO: Final = 64
_WINDOW_VIDEO: Final = 1024
_GENERATION_MASK: Final = (1 << GENERATION_BITS) - 1


class Opened(NamedTuple):
    """A frame that opened, with what its header said; see `frames.Header`."""

    sender: int
    counter: int
    payload: bytes
    kind: MediaKind
    end: bool
    low: int
    epoch: int


class Stamp(NamedTuple):
    """What all frames of one sealer say of themselves."""

    kind: MediaKind
    epoch: int
    sender: int


class Chain:
    """A chain of keys that only moves forward: the generations before are out of reach."""

    def __init__(self, chain: bytes, generation: int = 0) -> None:
        self._chain = chain
        self.generation = generation

    def start(self) -> bytes:
        """Reveal the chain at the generation it has reached, for whoever goes on with it."""
        return self._chain

    def frame_key(self, generation: int) -> bytes:
        """Derive a generation's key and salt of 48 bytes, without moving.

        Raises ``Rejected`` with `key_erased` for a generation that is over.
        """
        if generation < self.generation:
            raise Rejected("key_erased", f"The key of generation {generation} is erased.")
        return frame_key(ratchet(self._chain, generation - self.generation))

    def move(self, generation: int) -> None:
        """Go on to *generation*, and forget what came before."""
        self._chain = ratchet(self._chain, generation - self.generation)
        self.generation = generation


class Sealer:
    """Our sending side of one kind in one epoch.

    The counter is taken before it is used and never set back: no nonce comes twice under a key.
    """

    def __init__(self, chain: Chain, stamp: Stamp, make_key: FrameKeyMaker) -> None:
        self._chain = chain
        self._stamp = stamp
        self._make_key = make_key
        self._key = make_key(chain.frame_key(0))
        self._counter = 0

    def seal(self, payload: bytes, low: int = 0, *, end: bool = False) -> bytes:
        """Seal one packet to a frame; *low* is the three bits that the header tells the room.

        Raises ``Rejected`` with `header_field`, `frame_size` or `counter_exhausted`.
        """
        if not 0 <= low <= LOW_MAX:
            raise Rejected("header_field", f"{low} does not fit the header's three bits.")
        stamp = self._stamp
        if len(payload) + FRAME_LENGTH_MIN > length_max(stamp.kind):
            raise Rejected("frame_size", f"{len(payload)} bytes are too long for one frame.")
        counter = self._counter
        if counter > COUNTER_MAX:
            raise Rejected("counter_exhausted", "The epoch is used up; wait for the next one.")
        self._counter = counter + 1
        if counter and not counter & _GENERATION_MASK:
            self._chain.move(counter >> GENERATION_BITS)
            self._key = self._make_key(self._chain.frame_key(self._chain.generation))
        header = Header(stamp.kind, end, low, stamp.epoch & 255, stamp.sender, counter)
        return self._key.seal(header.pack(), payload)


class ReplayWindow:
    """Which of the last *size* counters came already; everything older counts as come."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._highest = -1
        self._seen = 0

    def refuses(self, counter: int) -> bool:
        """Tell whether *counter* came before, or is too old to know."""
        behind = self._highest - counter
        return behind >= self._size or (behind >= 0 and bool(self._seen >> behind & 1))

    def mark(self, counter: int) -> None:
        """Note that *counter* came."""
        ahead = counter - self._highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, self._size) | 1) & ((1 << self._size) - 1)
            self._highest = counter
        else:
            self._seen |= 1 << -ahead


class Opener:
    """Our receiving side of one sender and kind in one epoch."""

    def __init__(self, chain: Chain, kind: MediaKind, make_key: FrameKeyMaker) -> None:
        self._chain = chain
        self._make_key = make_key
        self._size = _WINDOW_VIDEO if kind is MediaKind.VIDEO else _WINDOW_AUDIO
        self._window = ReplayWindow(self._size)
        self._key = make_key(chain.frame_key(0))
        self._key_before: FrameKey | None = None

    def open(self, counter: int, frame: bytes) -> bytes:
        """Open *frame*, whose header holds *counter*.

        Raises ``Rejected`` with `frame_replayed`, `frame_generation` or `frame_forged`; nothing
        here has changed then.
        """
        if self._window.refuses(counter):
            raise Rejected("frame_replayed", f"Frame {counter} came before, or is too old.")
        generation = counter >> GENERATION_BITS
        ahead = generation - self._chain.generation
        if ahead > GENERATIONS_AHEAD_MAX:
            raise Rejected("frame_generation", f"Frame {counter} is too far ahead.")
        if ahead > 0:
            payload = self._open_ahead(generation, frame)
        else:
            payload = _opened(self._key if ahead == 0 else self._key_before, frame)
        self._window.mark(counter)
        if self._key_before and ahead == 0 and counter & _GENERATION_MASK >= self._size:
            self._key_before = None
        return payload

    def _open_ahead(self, generation: int, frame: bytes) -> bytes:
        key = self._make_key(self._chain.frame_key(generation))
        payload = _opened(key, frame)
        # Frames from before the boundary may still be on their way, hence two keys.
        self._key_before = self._make_key(self._chain.frame_key(generation - 1))
        self._chain.move(generation)
        self._key = key
        return payload


def _opened(key: FrameKey | None, frame: bytes) -> bytes:
    payload = key.open(frame) if key else None
    if payload is None:
        raise Rejected("frame_forged", "The frame is not what its sender sealed.")
    return payload


def count_opened(key48: bytes, frames: Sequence[bytes]) -> int:
    """Count how many of *frames* open under one key and salt, whoever sent them: for proofs.

    What is too short to be a frame counts as not opened.
    """
    whole = [frame for frame in frames if len(frame) >= FRAME_LENGTH_MIN]
    return FRAME_KEY(key48).count_opened(whole)
