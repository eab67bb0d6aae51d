"""How good speech sounds after all that was done to it: PESQ-WB (ITU-T P.862.2)."""

import numpy as np
import soxr
from pesq import pesq

from sidetone.audio import SAMPLE_RATE, Samples

_PESQ_HZ = 16_000
_END_SAMPLES = SAMPLE_RATE // 50
_DELAY_MAX_SAMPLES = SAMPLE_RATE // 4


def delay_samples(spoken: Samples, heard: Samples) -> int:
    """Find how much later *heard* is, at most 250 ms, by the best cross-correlation."""
    size = 1 << (spoken.size + heard.size).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(spoken, size))
    return int(np.argmax(np.fft.irfft(spectrum, size)[:_DELAY_MAX_SAMPLES]))


def pesq_wb(spoken: Samples, heard: Samples) -> float:
    """Compare two sounds of 48 kHz: 1 is bad, 4.64 the best there is.

    The last 20 ms do not count: a codec's delay has cut into them.
    """
    heard = heard[delay_samples(spoken, heard) :]
    size = min(spoken.size - _END_SAMPLES, heard.size)
    wide = (soxr.resample(sound[:size], SAMPLE_RATE, _PESQ_HZ) for sound in (spoken, heard))
    return float(pesq(_PESQ_HZ, *wide, "wb"))
