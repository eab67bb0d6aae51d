"""Sound at other rates than 48 kHz, hop by hop, for devices that offer nothing better.

A polyphase filter (Crochiere and Rabiner, Multirate Digital Signal Processing, 1983): a sinc
under a Kaiser window, 90 dB down beyond the lower Nyquist frequency, flat to 0.87 of it, and
32 samples of the lower rate late. It takes no interpreter lock. Whole files are soxr's business.
"""

from math import gcd
from typing import Any, Final

import numpy as np

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, AudioError, Samples
from sidetone.native import Record, kernel, layout, signature
from sidetone.native.functions import floats_at

RATE_MIN: Final = 8_000
RATE_MAX: Final = 192_000
BLOCK_SAMPLES_MAX: Final = HOP_SAMPLES * RATE_MAX // SAMPLE_RATE
"""The most that one hop can be at any rate, and the most that a kernel here takes."""

RESAMPLER: Final = layout(
    table_at=np.uintp, history_at=np.uintp, up=np.int64, down=np.int64, taps=np.int64, at=np.int64
)
"""From a rate to *up* / *down* of it; *at* is when the next output is due, in 1/up inputs."""

_TAPS: Final = 64
_UP_MAX: Final = 1000
_STOP_DB: Final = 90.0
_CUTOFF: Final = 0.955


@kernel("float32(float32[::1], int64, float32[::1], int64, int64)", fast=True)
def _dot(table: Samples, row: int, history: Samples, begin: int, taps: int) -> np.float32:
    total = np.float32(0)
    for i in range(taps):
        total += table[row + i] * history[begin + i]
    return total


@kernel(signature("int64", RESAMPLER))
def needed(r: Record) -> int:
    """Return how many samples `resample` must be given to make one hop of 240."""
    return max((r.at + (HOP_SAMPLES - 1) * r.down) // r.up + 1, 0)


@kernel(signature("int64", RESAMPLER, "float32[::1]", "int64", "float32[::1]", "int64"))
def resample(r: Record, x: Samples, count: int, out: Samples, most: int) -> int:
    """Take *count* samples of *x*, at most 960, and return how many went to *out*, at most *most*.

    What *most* holds back, one sample at the worst, comes first the next time.
    """
    history = floats_at(r.history_at, r.taps + count)
    table = floats_at(r.table_at, r.up * r.taps)
    for i in range(count):
        history[r.taps + i] = x[i]
    made, at = 0, r.at
    while at < count * r.up and made < most:
        whole = at // r.up
        out[made] = _dot(table, (at - whole * r.up) * r.taps, history, whole + 1, r.taps)
        made += 1
        at += r.down
    r.at = at - count * r.up
    for i in range(r.taps):
        history[i] = history[count + i]
    return made


class Resampler:
    """The memory behind one record, which it fills in: the filter, and what the filter still sees.

    Raises ``AudioError`` for a rate out of range or in no simple ratio to the other.
    """

    def __init__(self, record: Any, rate_in: int, rate_out: int) -> None:  # noqa: ANN401
        common = gcd(rate_in, rate_out)
        up, down = rate_out // common, rate_in // common
        if not (RATE_MIN <= min(rate_in, rate_out) <= max(rate_in, rate_out) <= RATE_MAX) or (
            max(up, down) > _UP_MAX
        ):
            raise AudioError(
                f"sound at {rate_in} Hz cannot be turned into {rate_out} Hz; "
                "set the device to 48000 Hz in the system's sound settings"
            )
        taps = -(-_TAPS * max(up, down) // up)
        self._table = _polyphase(up, down, taps)
        self._history = np.zeros(taps + BLOCK_SAMPLES_MAX, np.float32)
        record.table_at, record.history_at = self._table.ctypes.data, self._history.ctypes.data
        record.up, record.down, record.taps, record.at = up, down, taps, 0
        self.delay_ns = taps * 1_000_000_000 // (2 * rate_in)


def _polyphase(up: int, down: int, taps: int) -> Samples:
    """Return the filter as a table of (up, taps), each row newest sample last."""
    length = up * taps
    at = (np.arange(length) - (length - 1) / 2) / max(up, down) * _CUTOFF
    window = np.kaiser(length, 0.1102 * (_STOP_DB - 8.7))
    whole = np.sinc(at) * window
    rows = whole.reshape(taps, up).T[:, ::-1]
    # Every phase passes a constant unchanged, or there would be a tone at the input's rate.
    return np.ascontiguousarray(rows / rows.sum(axis=1, keepdims=True), np.float32)
