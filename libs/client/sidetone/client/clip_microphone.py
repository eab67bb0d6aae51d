"""A microphone for those who have none: silence, into which clips are said one after another."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_SAMPLES, Frame
from sidetone.audio.devices import NullMicrophone

# After its last sample a clip is said once this much silence has been captured, so that whoever
# leaves the call at its end does not cut it off.
_TAIL_FRAMES = 15
_CLIPS_MAX = 64


@dataclass(slots=True)
class _Clip:
    samples: NDArray[np.float32]
    said: Callable[[], None]
    position: int = 0


class ClipMicrophone:
    """Says clips in real time. `read` runs on the audio thread, `say` on any."""

    def __init__(self) -> None:
        self._pace = NullMicrophone()
        self._clips: deque[_Clip] = deque()
        self._lock = threading.Lock()

    def say(self, samples: NDArray[np.float32], said: Callable[[], None]) -> bool:
        """Queue 48 kHz mono *samples*; *said* is called on the audio thread when they are out.

        Returns False when too many clips wait already.
        """
        tail = np.zeros(_TAIL_FRAMES * FRAME_SAMPLES, np.float32)
        clip = _Clip(np.concatenate((samples.astype(np.float32).ravel(), tail)), said)
        with self._lock:
            if len(self._clips) >= _CLIPS_MAX:
                return False
            self._clips.append(clip)
            return True

    def read(self, out: Frame) -> int:
        """Fill *out* with 10 ms of the present clip, or with silence."""
        captured_ns = self._pace.read(out)
        with self._lock:
            clip = self._clips[0] if self._clips else None
        if clip is not None:
            piece = clip.samples[clip.position : clip.position + FRAME_SAMPLES]
            out[: len(piece)] = piece
            clip.position += FRAME_SAMPLES
            if clip.position >= len(clip.samples):
                with self._lock:
                    self._clips.popleft()
                clip.said()
        return captured_ns

    def close(self) -> None:
        """Stop pacing."""
        self._pace.close()
