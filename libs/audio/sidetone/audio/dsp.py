"""Kernels over a few samples: high-pass, level, mix and limit.

Every kernel works in place on arrays made once and allocates nothing. Levels are RMS in dB
relative to full scale (dBFS).
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import SAMPLE_RATE, Samples
from sidetone.native import kernel

State = NDArray[np.float64]

SILENCE_DB: Final = -120.0
CUTOFF_HZ: Final = 80.0
"""Below it nobody speaks, but tables, hands and fans do.

Where microphones and mixers have their low cut. Deep voices begin at 85 Hz: 100 Hz would take 7 dB
off those, and blur more with its delay (PESQ-WB of clean voices 4.23, here 4.32).
"""
KNEE: Final = 0.7
"""Where the soft limiter begins to bend; below it is a straight wire."""

_KNEE: Final = np.float32(KNEE)
_ROOM: Final = np.float32(1) - _KNEE
_ROOM_SQUARED: Final = _ROOM * _ROOM


def _high_pass_sections(cutoff_hz: float) -> State:
    """Design a 4th-order Butterworth high-pass as two biquads.

    Shape (2, 5): b0 b1 b2 a1 a2 of each section, a0 = 1. Source: R. Bristow-Johnson, Audio EQ
    Cookbook, with the two Q of a 4th-order Butterworth.
    """
    sections: list[list[float]] = []
    for q in (0.54119610, 1.3065630):
        w = 2 * math.pi * cutoff_hz / SAMPLE_RATE
        alpha, c = math.sin(w) / (2 * q), math.cos(w)
        edge = (1 + c) / 2
        taps = (edge, -(1 + c), edge, -2 * c, 1 - alpha)
        sections.append([tap / (1 + alpha) for tap in taps])
    return np.array(sections, np.float64)


_SECTIONS: Final = _high_pass_sections(CUTOFF_HZ)


@kernel("void(float32[::1], float64[::1])")
def high_pass(x: Samples, state: State) -> None:
    """Take away what is below 80 Hz, in place; *state* has shape (4,), zeros at the start.

    Transposed direct form II in double precision: at 80 Hz of 48 kHz single precision is noisy.
    Both sections in one loop, so that the second works while the first waits for itself.
    """
    b0, b1, b2, a1, a2 = _SECTIONS[0]
    c0, c1, c2, d1, d2 = _SECTIONS[1]
    z1, z2, w1, w2 = state
    for i in range(x.size):
        v = x[i]
        y = b0 * v + z1
        z1 = b1 * v - a1 * y + z2 + 1e-20
        z2 = b2 * v - a2 * y
        z = c0 * y + w1
        w1 = c1 * y - d1 * z + w2 + 1e-20
        w2 = c2 * y - d2 * z
        x[i] = z
    state[0], state[1], state[2], state[3] = z1, z2, w1, w2


@kernel("float64(float32[::1])", fast=True)
def level_db(x: Samples) -> float:
    """Measure the RMS level in dBFS, at least -120."""
    energy = 0.0
    for i in range(x.size):
        energy += x[i] * x[i]
    return 10.0 * math.log10(energy / x.size + 1e-12)


@kernel("void(float32[::1], float32[::1], float64, float64)", fast=True)
def mix(total: Samples, x: Samples, gain_from: float, gain_to: float) -> None:
    """Add *x* to *total* with a gain that glides over the frame, so that no step is heard."""
    gain = np.float32(gain_from)
    if gain_from == gain_to:
        for i in range(total.size):
            total[i] += x[i] * gain
        return
    slope = np.float32((gain_to - gain_from) / total.size)
    for i in range(total.size):
        total[i] += x[i] * (gain + slope * np.float32(i + 1))


@kernel("void(float32[::1], float64, float64)", fast=True)
def amplify(x: Samples, gain_from: float, gain_to: float) -> None:
    """Give *x* a gain that glides over the frame, in place."""
    if gain_from == gain_to == 1.0:
        return
    gain = np.float32(gain_from)
    slope = np.float32((gain_to - gain_from) / x.size)
    for i in range(x.size):
        x[i] *= gain + slope * np.float32(i + 1)


@kernel("void(float32[::1])")
def soft_limit(x: Samples) -> None:
    """Bend everything above 0.7 with a rational knee, in place; never exceeds 1.

    With r = 0.3 the room above the knee, what exceeds the knee by e becomes r e / (r + e). It is
    computed as r - r^2 / (r + e): without a branch, so that it vectorises, and in steps that are
    each monotonic in single precision. For e = 0 it is 0 exactly.
    """
    for i in range(x.size):
        straight = min(max(x[i], -_KNEE), _KNEE)
        excess = x[i] - straight
        bent = _ROOM - _ROOM_SQUARED / (_ROOM + abs(excess))
        x[i] = straight + math.copysign(bent, excess)
