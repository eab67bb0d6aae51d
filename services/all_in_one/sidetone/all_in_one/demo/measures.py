"""What the demo measures: delivery, delay, and what was heard against what was said."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from sidetone.audio import FRAME_SAMPLES, SAMPLE_RATE
from sidetone.audio.tracks import Track

Sound = NDArray[np.float32]

QUALITY_RATE = 16_000
# PESQ was made for sentences, not speeches: longer talks are scored piece by piece.
PIECE_SECONDS = 20
_FRAME_NS = 10_000_000


@dataclass(frozen=True, slots=True)
class Pair:
    """One speaker as one listener heard them, over the whole talk."""

    speaker: str
    listener: str
    sent: int
    received: int
    fec_recovered: int
    delays_ms: list[float]
    said: Sound
    heard: Sound

    @property
    def delivered_ratio(self) -> float:
        """Frames that arrived of those sent; duplicates count once."""
        return self.received / self.sent if self.sent else 0.0


def timeline(track: Track, from_ns: int, to_ns: int) -> Sound:
    """Lay the frames of *track* on a line from *from_ns* to *to_ns*; where nothing was, silence.

    A frame within 20 ms of its predecessor's end continues it: clocks of threads wobble, sound
    does not.
    """
    line = np.zeros((to_ns - from_ns) * SAMPLE_RATE // 1_000_000_000, np.float32)
    samples = track.samples().reshape(-1, FRAME_SAMPLES)
    end: int | None = None
    for frame, at_ns in zip(samples, track.times_ns(), strict=False):
        start = round((int(at_ns) - from_ns) * SAMPLE_RATE / 1e9)
        if end is not None and abs(start - end) <= FRAME_SAMPLES * 2:
            start = end
        end = start + FRAME_SAMPLES
        if start >= 0 and end <= line.size:
            line[start:end] = frame
    return line


def pesq_wb(pair: Pair) -> float | None:
    """Return PESQ-WB (ITU-T P.862.2) of *pair*, or None where the package is not installed."""
    try:
        # An extra, as it needs a compiler.
        package: Any = import_module("pesq")
    except ImportError:
        return None
    scores: list[float] = []
    for said, heard in _pieces(pair):
        silent_is_worst = package.PesqError.RETURN_VALUES
        score = package.pesq(QUALITY_RATE, said, heard, "wb", on_error=silent_is_worst)
        # Silence has no score at all; the scale's lowest is what a listener would give it.
        scores.append(max(1.0, float(score)) if np.isfinite(score) else 1.0)
    return float(np.mean(scores)) if scores else None


def intelligibility(pair: Pair) -> float:
    """Return STOI (Taal et al., 2011) of *pair*: 0 to 1."""
    # Its import takes a second or two, which the first minute of a newcomer need not wait for.
    package: Any = import_module("pystoi")
    scores = [float(package.stoi(said, heard, QUALITY_RATE)) for said, heard in _pieces(pair)]
    return float(np.mean(scores)) if scores else 0.0


def _pieces(pair: Pair) -> list[tuple[Sound, Sound]]:
    """Cut both sides into pieces of at most 20 s at 16 kHz, the delay taken off."""
    delay = round(float(np.median(pair.delays_ms or [0.0])) * SAMPLE_RATE / 1000)
    size = min(pair.said.size, pair.heard.size - delay)
    if size <= 0:
        return []
    said = _resampled(pair.said[:size])
    heard = _resampled(pair.heard[delay : delay + size])
    count = max(1, round(said.size / (PIECE_SECONDS * QUALITY_RATE)))
    return list(zip(np.array_split(said, count), np.array_split(heard, count), strict=True))


def _resampled(sound: Sound) -> Sound:
    return soxr.resample(sound, SAMPLE_RATE, QUALITY_RATE)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
