"""Noise suppression: what is steady goes, what speaks stays.

OM-LSA (Cohen and Berdugo 2001: Ephraim and Malah's log-spectral amplitude, weighed with the
probability of speech) over noise that is tracked without a voice detector (Gerkmann and Hendriks
2012, held up by minimum statistics after Martin 2001).
Windows of 20 ms every 5 ms, falling within 2.5 ms: that is all the delay this adds.

What limits it is the a-priori ratio (at 5 dB of a fan's noise it gains 0.26 of PESQ-WB): with the
true spectrum of the noise 0.24, with the true spectrum of speech in every hop 0.6, with that
smoothed over 25 ms no more than 0.26. Tried, and no better than 0.26 or only at a price: two-step
(Plapous 2006) and harmonic regeneration, causal recursion (Cohen 2005), super-Gaussian speech
(Lotter and Vary 2005), smoothed gains (Esch and Vary 2009), 15 to 21 ms windows that fall within
5 ms. The cepstrum smoothed (Breithaupt 2008) with a comb at the pitch reaches 0.30, and needs two
more transforms and a search.
"""

import math
from typing import Any, Final

import numpy as np

from sidetone.audio import HOP_SAMPLES, Samples, fft
from sidetone.native import Record, kernel, layout, signature

_single: Final[Any] = np.float32

WINDOW: Final = 960
DELAY_SAMPLES: Final = 120
"""How much later a sample leaves than it came."""

_PAIRS: Final = WINDOW // 2
_HOP_PAIRS: Final = HOP_SAMPLES // 2
_DELAY_PAIRS: Final = DELAY_SAMPLES // 2
_OUT_PAIRS: Final = _HOP_PAIRS + _DELAY_PAIRS
_BINS: Final = (np.float32, (fft.BINS,))

SUPPRESSION: Final = layout(
    hops=np.int64,
    spectrum=fft.SPECTRUM,
    history=(np.float32, (2, _PAIRS)),
    tail=(np.float32, (2, _DELAY_PAIRS)),
    power=_BINS,
    noise=_BINS,
    smooth=_BINS,
    lowest=_BINS,
    lowest_now=_BINS,
    clean=_BINS,
    prior=_BINS,
    ratio=_BINS,
    gain=_BINS,
)
"""State of one microphone; zeros are a fresh one. Spectra are powers of 513 bins to 24 kHz.

*clean* is what was speech in the hop before, over the noise; *prior* the a-priori ratio of speech
to noise and *ratio* the same smoothed; *lowest* and *lowest_now* are the minima of the window
before and of this one.
"""


def _windows() -> tuple[Samples, Samples]:
    """Return the windows of analysis, shape (2, 480), and synthesis, shape (2, 180): even and odd.

    Their product rises, stays and falls so that the hops' sum is one.
    """
    rise = np.sin(
        0.5 * np.pi * (np.arange(WINDOW - DELAY_SAMPLES) + 0.5) / (WINDOW - DELAY_SAMPLES)
    )
    fall = np.cos(0.5 * np.pi * (np.arange(DELAY_SAMPLES) + 0.5) / DELAY_SAMPLES)
    analysis = np.concatenate((rise, fall))
    wanted = np.ones(HOP_SAMPLES + DELAY_SAMPLES)
    wanted[-DELAY_SAMPLES:] = fall**2
    wanted[:DELAY_SAMPLES] = 1 - fall**2
    synthesis = wanted / analysis[-wanted.size :]
    return (
        analysis.reshape(-1, 2).T.astype(np.float32).copy(),
        synthesis.reshape(-1, 2).T.astype(np.float32).copy(),
    )


_ANALYSIS, _SYNTHESIS = _windows()
_ONE: Final = _single(1)
_EPSILON: Final = _single(1e-12)
_LOG2_E: Final = _single(math.log2(math.e))
_INAUDIBLE: Final = _single(10**-6.5 * np.sum(_ANALYSIS**2))
_PRIOR_MIN: Final = _single(10**-2.5)
_UNLIKELY_LOG2: Final = _single(math.log2(10**-1.0))
_LIKELY_SLOPE: Final = _single(1 / math.log2(10**0.7))
_CEILING: Final = _single(4)
_LEARNING_HOPS: Final = 8
_WINDOW_HOPS: Final = 600
_SPEECH_RATIO: Final = _single(10**0.7)


@kernel("float32(float32)", fast=True)
def _exp2(x: float) -> float:
    """Approximate 2**x to 8e-5, for x from -126 to 100: exponent bits and a cubic."""
    shifted = max(x, _single(-126)) + _single(127)
    whole = np.int32(shifted)
    part = shifted - _single(whole)
    power = np.int32(whole << 23).view(np.float32)
    return power * (
        _single(0.99992842)
        + part * (_single(0.69577358) + part * (_single(0.22623656) + part * _single(0.07790776)))
    )


@kernel("float32(float32)", fast=True)
def _log2(x: float) -> float:
    """Approximate the logarithm of a positive number to 1e-4: exponent bits and a quartic."""
    bits = _single(x).view(np.int32)
    part = np.int32((bits & 0x7FFFFF) | 0x3F800000).view(np.float32) - _ONE
    curve = _single(0.315497426) - part * _single(0.0800188259)
    curve = _single(1.43731336) + part * (_single(-0.672965504) + part * curve)
    return _single((bits >> 23) - 127) + _single(9.916e-05) + part * curve


@kernel("float32(float32)", fast=True)
def _integral(v: float) -> float:
    """Approximate exp(E1(v)), E1 being the exponential integral, to 0.1 %: a fitted fraction."""
    above = _single(2.87582515) + v * (_single(4.30924566) + v * (_single(2.54807637) + v))
    below = _single(5.12270437) + v * (_single(2.49929198) + v)
    return above / (below * v)


@kernel(signature("void", SUPPRESSION, "float32[::1]"), fast=True)
def _remember(s: Record, x: Samples) -> None:
    for part in range(2):
        history = s.history[part]
        for i in range(_PAIRS - _HOP_PAIRS):
            history[i] = history[i + _HOP_PAIRS]
        for i in range(_HOP_PAIRS):
            history[_PAIRS - _HOP_PAIRS + i] = x[2 * i + part]


@kernel(signature("void", SUPPRESSION, "float32[::1]"), fast=True)
def rest(s: Record, x: Samples) -> None:
    """Hear a hop without changing it, so that `suppress` can begin with the next one."""
    _remember(s, x)
    for part in range(2):
        for i in range(_DELAY_PAIRS):
            at = _PAIRS - _DELAY_PAIRS + i
            whole = _ANALYSIS[part, at] * _SYNTHESIS[part, _HOP_PAIRS + i]
            s.tail[part, i] = s.history[part, at] * whole


@kernel(signature("void", SUPPRESSION), fast=True)
def _analyse(s: Record) -> None:
    for part in range(2):
        history, points = s.history[part], s.spectrum.points[part]
        for i in range(_PAIRS):
            points[i] = history[i] * _ANALYSIS[part, i]
        for i in range(_PAIRS, fft.HALF):
            points[i] = 0.0
    fft.forward(s.spectrum)
    for k in range(fft.BINS):
        real, imaginary = s.spectrum.bin_real[k], s.spectrum.bin_imaginary[k]
        s.power[k] = real * real + imaginary * imaginary + _EPSILON


@kernel(signature("void", SUPPRESSION, "float32"), fast=True)
def _learn(s: Record, share: float) -> None:
    """Take what is heard for noise, in the first hops of all."""
    for k in range(fft.BINS):
        s.noise[k] += (s.power[k] - s.noise[k]) * share
        s.smooth[k] = s.lowest[k] = s.lowest_now[k] = s.noise[k]


@kernel(signature("void", SUPPRESSION), fast=True)
def _track(s: Record) -> None:
    """Let the noise follow where speech is improbable, near the minimum of the last 3 to 6 s.

    Never below that, and never more than 6 dB above it: where somebody spoke from the beginning,
    the first gap between two sounds shows that it was no noise.
    """
    for k in range(fft.BINS):
        power, noise = s.power[k], s.noise[k]
        ratio = min(power / noise, _single(100)) * (_SPEECH_RATIO / (_ONE + _SPEECH_RATIO))
        absent = (_ONE + _SPEECH_RATIO) * _exp2(-_LOG2_E * ratio)
        present = _ONE / (_ONE + absent)
        s.smooth[k] += (power - s.smooth[k]) * _single(0.1)
        s.lowest_now[k] = min(s.lowest_now[k], s.smooth[k])
        s.lowest[k] = min(s.lowest[k], s.smooth[k])
        noise += (power - noise) * (_ONE - present) * _single(0.01)
        s.noise[k] = min(max(noise, s.lowest[k]), s.lowest[k] * _CEILING)


@kernel(signature("void", SUPPRESSION), fast=True)
def _turn_window(s: Record) -> None:
    for k in range(fft.BINS):
        s.lowest[k] = s.lowest_now[k]
        s.lowest_now[k] = s.smooth[k]


@kernel(signature("void", SUPPRESSION), fast=True)
def _estimate(s: Record) -> None:
    """Estimate the a-priori ratio of speech to noise, and from it how likely speech is at all.

    Decision-directed (Ephraim and Malah 1984); the likelihood is taken from the ratio smoothed
    over time and neighbours, between -10 and -3 dB.
    """
    for k in range(fft.BINS):
        excess = max(s.power[k] / s.noise[k] - _ONE, _single(0))
        s.prior[k] = max(_single(0.98) * s.clean[k] + _single(0.02) * excess, _PRIOR_MIN)
        s.ratio[k] += (s.prior[k] - s.ratio[k]) * _single(0.05)
    for k in range(1, fft.BINS - 1):
        around = _single(0.25) * (s.ratio[k - 1] + s.ratio[k + 1]) + _single(0.5) * s.ratio[k]
        likely = (_log2(around) - _UNLIKELY_LOG2) * _LIKELY_SLOPE
        s.gain[k] = min(max(likely, _single(0.05)), _single(0.95))
    s.gain[0], s.gain[fft.BINS - 1] = s.gain[1], s.gain[fft.BINS - 2]


@kernel(signature("void", SUPPRESSION, "float32"), fast=True)
def _weigh(s: Record, floor_log2: float) -> None:
    """Decide the gain of every bin, from 1 for speech down to the floor.

    What the floor would push below hearing is left where it is: in a quiet room nothing is done.
    """
    for k in range(fft.BINS):
        ratio, prior, likely = min(s.power[k] / s.noise[k], _single(1e4)), s.prior[k], s.gain[k]
        wiener = prior / (_ONE + prior)
        v = max(ratio * wiener, _single(1e-6))
        gain = min(wiener * np.sqrt(_integral(v)), _ONE)
        s.clean[k] = gain * gain * ratio
        absent = (_ONE - likely) * (_ONE + prior) * _exp2(-_LOG2_E * min(v, _single(80)))
        present = likely / (likely + absent)
        floor = min(max(_single(0.5) * _log2(_INAUDIBLE / s.noise[k]), floor_log2), _single(0))
        wanted = present * _log2(max(gain, _single(1e-4))) + (_ONE - present) * floor
        s.gain[k] = _exp2(max(wanted, floor))


@kernel(signature("void", SUPPRESSION, "float32[::1]"), fast=True)
def _synthesise(s: Record, x: Samples) -> None:
    for k in range(fft.BINS):
        s.spectrum.bin_real[k] *= s.gain[k]
        s.spectrum.bin_imaginary[k] *= s.gain[k]
    fft.backward(s.spectrum)
    for part in range(2):
        points, tail = s.spectrum.points[part], s.tail[part]
        first = _PAIRS - _OUT_PAIRS
        for i in range(_DELAY_PAIRS):
            x[2 * i + part] = tail[i] + points[first + i] * _SYNTHESIS[part, i]
        for i in range(_DELAY_PAIRS, _HOP_PAIRS):
            x[2 * i + part] = points[first + i] * _SYNTHESIS[part, i]
        for i in range(_DELAY_PAIRS):
            tail[i] = points[first + _HOP_PAIRS + i] * _SYNTHESIS[part, _HOP_PAIRS + i]


@kernel(signature("void", SUPPRESSION, "float32[::1]", "float64"))
def suppress(s: Record, x: Samples, floor_db: float) -> None:
    """Lower the noise in a hop of 240 samples by up to ``-floor_db``, in place, 2.5 ms later.

    *x* must be finite.
    """
    _remember(s, x)
    _analyse(s)
    s.hops += 1
    if s.hops <= _LEARNING_HOPS:
        _learn(s, 1.0 / s.hops)
    elif s.hops % _WINDOW_HOPS == 0:
        _turn_window(s)
    _track(s)
    _estimate(s)
    _weigh(s, floor_db / (20 * math.log10(2)))
    _synthesise(s, x)
