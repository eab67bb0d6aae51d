"""From the packets of all speakers to one frame of sound every 10 ms. No threads, no clock."""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from sidetone.audio import FRAME_SAMPLES, Frame
from sidetone.audio.dsp import mix, soft_limit
from sidetone.audio.jitter import JitterBuffer, JitterStats

Tap: TypeAlias = Callable[[int, Frame, float], None]
"""Sees (sender, frame, now_ms): each live speaker's frame before volume and mix, every tick.

The frame is used again in the next tick, so a tap that keeps it copies it.
"""

SPEAKERS_MAX: Final = 64
VOLUME_PERCENT_MAX: Final = 200

_FREE_AFTER_MS: Final = 2000.0


class _Speaker:
    def __init__(self, gain: float) -> None:
        self.buffer = JitterBuffer()
        self.gain = gain
        self.heard_ms = 0.0


def _gain(percent: int) -> float:
    return min(max(percent, 0), VOLUME_PERCENT_MAX) / 100


class PlaybackChain:
    """One jitter buffer per speaker, their volumes, the mix and its limiter.

    A speaker who sends nothing for 2 s is freed. Beyond 64 at once, new ones are not heard.
    """

    def __init__(self, tap: Tap | None = None) -> None:
        self.deafened = False
        self._tap = tap
        self._speakers: dict[int, _Speaker] = {}
        self._volumes: dict[int, float] = {}
        self._output = self._output_before = 1.0
        self._frame = np.zeros(FRAME_SAMPLES, np.float32)
        self._spoken = np.zeros(FRAME_SAMPLES, np.float32)
        self._mixed = np.zeros(FRAME_SAMPLES, np.float32)

    def push(
        self, sender: int, epoch: int, counter: int, opus: bytes, *, end: bool, arrival_ms: float
    ) -> None:
        """Take a packet of *sender* that arrived at *arrival_ms* of the playback clock."""
        speaker = self._speakers.get(sender)
        if speaker is None:
            if len(self._speakers) >= SPEAKERS_MAX:
                return
            speaker = self._speakers[sender] = _Speaker(self._volumes.get(sender, 1.0))
        speaker.heard_ms = arrival_ms
        speaker.buffer.push(counter, opus, end=end, arrival_ms=arrival_ms, epoch=epoch)

    def tick(self, now_ms: float) -> Frame:
        """Return the 10 ms of sound due at *now_ms*; the array is used again in the next tick."""
        self._spoken[:] = 0
        for sender in list(self._speakers):
            speaker = self._speakers[sender]
            if now_ms - speaker.heard_ms > _FREE_AFTER_MS:
                del self._speakers[sender]
                continue
            speaks = speaker.buffer.pull(self._frame, now_ms)
            if self._tap is not None:
                self._tap(sender, self._frame, now_ms)
            gain = self._volumes.get(sender, 1.0)
            if speaks:
                mix(self._spoken, self._frame, speaker.gain, gain)
            speaker.gain = gain
        output = 0.0 if self.deafened else self._output
        self._mixed[:] = 0
        mix(self._mixed, self._spoken, self._output_before, output)
        self._output_before = output
        soft_limit(self._mixed)
        return self._mixed

    def stats(self) -> dict[int, JitterStats]:
        """Snapshots for every speaker heard in the last 2 s."""
        return {sender: speaker.buffer.stats for sender, speaker in self._speakers.copy().items()}

    def forget(self, sender: int) -> None:
        """Free a speaker who has left, with the volume set for them."""
        self._speakers.pop(sender, None)
        self._volumes.pop(sender, None)

    def set_volume(self, sender: int, percent: int) -> None:
        """Make one speaker louder or softer for this listener, 0 to 200 %."""
        self._volumes[sender] = _gain(percent)

    def set_output_volume(self, percent: int) -> None:
        """Make everything louder or softer, 0 to 200 %."""
        self._output = _gain(percent)
