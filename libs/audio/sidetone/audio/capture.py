"""From microphone frames to packets: filter, voice activity, gain, Opus. No threads, no clock."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from sidetone.audio import Frame
from sidetone.audio.codec import Encoder
from sidetone.audio.dsp import (
    GAIN_STATE,
    SILENCE_DB,
    VOICE_STATE,
    gain_control,
    high_pass,
    high_pass_coefficients,
    level_db,
    voice_activity,
)

_CUTOFF_HZ: Final = 100.0
_TARGET_DB: Final = -20.0
_LOUDNESS_SHARE: Final = 1 / 20
_LOUDEST_DB: Final = -18.0
_LOUDNESS_STEP_DB: Final = 6.0


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded frame on its way out.

    *end* marks the last packet of a talkspurt. *loudness* is 1 (faint) to 7 (loud), averaged over
    200 ms so that it tells who speaks and not what is said.
    """

    opus: bytes
    end: bool
    loudness: int
    captured_ns: int


class CaptureChain:
    """Decide frame by frame what of the microphone is sent.

    The gate opens with the first frame of speech and sends the frame before it along, so that
    soft beginnings are kept; the listener's buffer would have waited that long anyway.
    """

    def __init__(self, *, bitrate: int = 64_000, expected_loss_percent: int = 10) -> None:
        self.muted = False
        self.level_db = SILENCE_DB
        self._encoder = Encoder(bitrate, expected_loss_percent)
        self._coefficients = high_pass_coefficients(_CUTOFF_HZ)
        self._filter = np.zeros(4, np.float64)
        self._voice = np.array(VOICE_STATE, np.float64)
        self._gain = np.array(GAIN_STATE, np.float64)
        self._power = 0.0
        self._open = False
        self._before: tuple[Frame, int] | None = None

    def process(self, frame: Frame, captured_ns: int = 0) -> list[Packet]:
        """Take the next frame, spoken at *captured_ns*, and return what has to be sent now.

        Nothing in silence, one packet in speech, two where speech begins. The packet that closes
        the gate, by silence or by ``muted``, says so in ``end``; a muted one fades to zero.
        """
        x = frame.copy()
        high_pass(x, self._coefficients, self._filter)
        self.level_db = level_db(x)
        speaks = voice_activity(self.level_db, self._voice) and not self.muted
        gain_control(x, self._gain, speaks, _TARGET_DB)
        self._power += (10 ** (level_db(x) / 10) - self._power) * _LOUDNESS_SHARE
        if self.muted:
            x *= np.linspace(1, 0, x.size, dtype=np.float32)
        packets: list[Packet] = []
        if speaks and not self._open and self._before is not None:
            packets.append(self._packet(*self._before, end=False))
        if speaks or self._open:
            packets.append(self._packet(x, captured_ns, end=not speaks))
        self._before = None if packets or self.muted else (x, captured_ns)
        self._open = speaks
        return packets

    def _packet(self, x: Frame, captured_ns: int, *, end: bool) -> Packet:
        return Packet(self._encoder.encode(x), end, self._loudness(), captured_ns)

    def _loudness(self) -> int:
        below_db = _LOUDEST_DB - 10 * math.log10(self._power + 1e-12)
        return min(max(7 - math.ceil(below_db / _LOUDNESS_STEP_DB), 1), 7)
