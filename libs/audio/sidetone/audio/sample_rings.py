"""Sound on its way from one thread to another: one writes, one reads, neither waits.

Mono float32 at 48 kHz. The words that the two sides share lie apart and are atomic; a full ring
takes no more, an empty one gives nothing. Positions count samples and never wrap.
"""

from typing import Any, Final

import numpy as np

from sidetone.audio import Samples
from sidetone.native import Record, atomics, kernel, layout, records, signature
from sidetone.native.functions import floats_at, words_at

RING: Final = layout(words_at=np.uintp, sound_at=np.uintp, size=np.int64)
"""Where a ring's words and samples are; `size` in samples, 0 is no ring."""

_HEAD: Final = 0
_TAIL: Final = 8
_WORDS: Final = 16
_ENDLESS: Final = 1 << 62


@kernel(signature("int64", RING))
def waiting(ring: Record) -> int:
    """Return how many samples can be taken; below zero where the reader has skipped the end."""
    words = words_at(ring.words_at, _WORDS)
    return atomics.load(words, _HEAD) - atomics.load(words, _TAIL)


@kernel(signature("void", RING, "int64"))
def skip(ring: Record, count: int) -> None:
    """Move the reader on by *count* samples, even beyond what was written."""
    words = words_at(ring.words_at, _WORDS)
    atomics.store(words, _TAIL, words[_TAIL] + count)


@kernel(signature("void", RING, "float32[::1]", "int64"))
def take(ring: Record, out: Samples, count: int) -> None:
    """Fill *out* with *count* samples; with silence, and none is taken, where there are fewer."""
    words, sound = words_at(ring.words_at, _WORDS), floats_at(ring.sound_at, ring.size)
    tail = words[_TAIL]
    if atomics.load(words, _HEAD) - tail < count:
        for i in range(count):
            out[i] = 0.0
        return
    for i in range(count):
        out[i] = sound[(tail + i) % ring.size]
    atomics.store(words, _TAIL, tail + count)


@kernel(signature("int64", RING, "float32[::1]", "int64"))
def put(ring: Record, x: Samples, count: int) -> int:
    """Write the first *count* samples of *x* and return how many had room."""
    words, sound = words_at(ring.words_at, _WORDS), floats_at(ring.sound_at, ring.size)
    head = words[_HEAD]
    fits = min(count, ring.size - (head - atomics.load(words, _TAIL)))
    for i in range(fits):
        sound[(head + i) % ring.size] = x[i]
    atomics.store(words, _HEAD, head + fits)
    return fits


class Ring:
    """A ring's memory, and the side of it that Python has.

    *sound* is the memory: *full* of what is to be read or free to be written to. With *again* the
    reader comes back to the beginning for ever.
    """

    def __init__(self, sound: Samples, *, full: bool = False, again: bool = False) -> None:
        self._sound = np.ascontiguousarray(sound, np.float32)
        self._words = np.zeros(_WORDS, np.int64)
        self._words[_HEAD] = _ENDLESS if again else self._sound.size if full else 0
        self.record: Any = records(RING, 1)[0]
        self.record.words_at = self._words.ctypes.data
        self.record.sound_at = self._sound.ctypes.data
        self.record.size = self._sound.size

    @property
    def waiting(self) -> int:
        """How many samples can be taken; not above zero once a reader has reached the end."""
        return waiting(self.record)

    def put(self, x: Samples) -> int:
        """Write what fits of *x* and return how much that was."""
        return put(self.record, np.ascontiguousarray(x, np.float32), x.size)

    def skip(self, count: int) -> None:
        """Begin *count* samples later; before a reader has begun."""
        skip(self.record, count)
