"""What of the microphone is sent: voice activity, push-to-talk, and mute; one decision per hop.

A hop is 5 ms. Whatever ends a talkspurt by hand (mute, a released key) fades over its last hop,
which is still sent; what is closed by hand is silent, so that nothing said then leaves later.
"""

import math
from typing import Any, Final

import numpy as np

from sidetone.audio import HOP_MS, Samples
from sidetone.native import Record, kernel, layout, signature

_single: Final[Any] = np.float32

BY_VOICE: Final = 0
BY_KEY: Final = 1
ALWAYS: Final = 2
HOLD_MS_MAX: Final = 10_000

VOICE: Final = layout(
    power=np.float64,
    floor_db=np.float64,
    lowest_db=np.float64,
    lowest_now_db=np.float64,
    hops=np.int64,
    hangover=np.int64,
)
"""*power* of the hop before, the noise floor, the lowest level of the window before and of this
one with the *hops* in it, and hops of *hangover* left; a fresh one has -60 in all levels."""

GATE: Final = layout(held=np.int64, audible=np.int64, open=np.int64)
"""Hops for which a released key is still held, and what was decided for the hop before."""

_FLOOR_MIN_DB: Final = -65.0
_FLOOR_MAX_DB: Final = -40.0
_ABOVE_FLOOR_DB: Final = 7.0
_WINDOW_HOPS: Final = 300


@kernel("int64(float64)")
def hops_of(ms: float) -> int:
    """Return a time in hops, rounded, between none and 10 s; what is no number is none."""
    return round(min(ms, HOLD_MS_MAX) / HOP_MS) if ms > 0 else 0


@kernel(signature("boolean", VOICE, "float64", "float64", "float64"))
def hear(v: Record, power: float, threshold_db: float, hangover_ms: float) -> bool:
    """Say whether a hop of mean square *power* belongs to speech.

    Speech stands 7 dB and *threshold_db* above the noise floor, the lowest level of the last 1.5
    to 3 s (minimum statistics, R. Martin 2001); levels are of 10 ms, for in less a deep voice
    would flicker. The floor is believed between -65 and -40 dBFS, so that a long note does not
    become noise. The hangover keeps the soft ends of words.
    """
    level_db = 10.0 * math.log10(0.5 * (power + v.power) + 1e-12)
    v.power = power
    v.lowest_now_db = min(v.lowest_now_db, level_db)
    v.hops += 1
    if v.hops >= _WINDOW_HOPS:
        v.lowest_db = v.lowest_now_db
        v.lowest_now_db = level_db
        v.hops = 0
    v.floor_db = min(max(min(v.lowest_db, v.lowest_now_db), _FLOOR_MIN_DB), _FLOOR_MAX_DB)
    if level_db > v.floor_db + _ABOVE_FLOOR_DB + threshold_db:
        v.hangover = hops_of(hangover_ms)
        return True
    v.hangover -= v.hangover > 0
    return v.hangover > 0


@kernel(signature("boolean", GATE, "int64", "int64", "float64"))
def allowed(g: Record, activation: int, pushed: int, release_ms: float) -> bool:
    """Say whether the key lets sound through: held, released just now, or not in use."""
    if activation != BY_KEY:
        g.held = 0
        return True
    if pushed:
        g.held = max(hops_of(release_ms), 1)
        return True
    g.held -= g.held > 0
    return g.held > 0


@kernel("void(float32[::1], float32, float32)", fast=True)
def _fade(x: Samples, gain_from: float, gain_to: float) -> None:
    slope = (gain_from - gain_to) / _single(x.size)
    for i in range(x.size):
        x[i] *= gain_to + slope * _single(x.size - 1 - i)


@kernel(signature("boolean", GATE, "float32[::1]", "boolean", "boolean"))
def pass_on(g: Record, x: Samples, audible: bool, speaks: bool) -> bool:  # noqa: FBT001
    """Fade *x* in or out where *audible* has changed, and say whether this hop is sent.

    What *speaks* and is audible is; so is the hop in which it ceases to be audible.
    """
    if audible != (g.audible != 0):
        _fade(x, _single(g.audible), _single(audible))
    elif not audible:
        x[:] = 0.0
    sent = (audible and speaks) or (g.open != 0 and g.audible != 0 and not audible)
    g.audible = audible
    g.open = sent
    return sent
