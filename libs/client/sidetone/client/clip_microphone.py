"""A microphone for those who have none: silence, into which clips are said one after another."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import FRAME_MS, FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE
from sidetone.audio.devices import MemoryDevice
from sidetone.audio.sample_rings import Ring

# After its last sample a clip is said once this much silence has been captured, so that whoever
# leaves the call at its end does not cut it off.
_TAIL_FRAMES: Final = 15
_CLIPS_MAX: Final = 64
_RING_SAMPLES: Final = SAMPLE_RATE
_STEP_SECONDS: Final = FRAME_MS / 1000


@dataclass(slots=True)
class _Clip:
    samples: NDArray[np.float32]
    said: Callable[[], None]
    position: int = 0


class ClipMicrophone(MemoryDevice):
    """Says clips in real time; `say` may be called from any thread.

    The audio loop takes them out of a ring of one second, which a thread fills as long as there
    are clips.
    """

    def __init__(self) -> None:
        self._ahead = Ring(np.zeros(_RING_SAMPLES, np.float32))
        super().__init__("the microphone of clips", self._ahead)
        self._clips: deque[_Clip] = deque()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._teller: threading.Thread | None = None

    def say(self, samples: NDArray[np.float32], said: Callable[[], None]) -> bool:
        """Queue 48 kHz mono *samples*; *said* is called on another thread when they are out.

        Returns False when too many clips wait already.
        """
        sound = samples.astype(np.float32).ravel()
        size = sound.size + _TAIL_FRAMES * FRAME_SAMPLES
        whole = np.zeros(size + -size % HOP_SAMPLES, np.float32)
        whole[: sound.size] = sound
        with self._lock:
            if len(self._clips) >= _CLIPS_MAX:
                return False
            self._clips.append(_Clip(whole, said))
            if self._teller is None and not self._closed.is_set():
                self._teller = threading.Thread(target=self._tell, name="clips", daemon=True)
                self._teller.start()
            return True

    def close(self) -> None:
        """Stop saying clips; those that wait are never said."""
        self._closed.set()
        teller = self._teller
        if teller is not None and teller is not threading.current_thread():
            teller.join()
        super().close()

    def _tell(self) -> None:
        while (clip := self._present()) is not None:
            clip.position += self._ahead.put(clip.samples[clip.position :])
            if clip.position == clip.samples.size and self._ahead.waiting <= 0:
                with self._lock:
                    self._clips.popleft()
                clip.said()
            elif self._closed.wait(_STEP_SECONDS):
                return

    def _present(self) -> _Clip | None:
        """Return the clip that is being said; without one the thread ends, and nobody waits."""
        with self._lock:
            if not self._clips:
                self._teller = None
                return None
            return self._clips[0]
