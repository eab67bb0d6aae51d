"""The Fourier transform of 1024 real samples, for kernels: one size, written for vector units.

Even samples are the real and odd samples the imaginary parts of a complex transform of 512, done
in three passes of radix 8 with a sorting between them (Stockham's order, so the passes run over
what lies side by side), and taken apart afterwards. All in float32, exact to about 1e-6 of the
largest; only the way back scales.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import Samples
from sidetone.native import Record, kernel, layout, signature

SIZE: Final = 1024
HALF: Final = SIZE // 2
BINS: Final = HALF + 1

SPECTRUM: Final = layout(
    bin_real=(np.float32, (BINS,)),
    bin_imaginary=(np.float32, (BINS,)),
    points=(np.float32, (2, HALF)),
    sorted=(np.float32, (2, HALF)),
)
"""Bins from 0 to 24 kHz, and *points*: the even samples and the odd ones."""

_BUTTERFLIES: Final = HALF // 8
_FOUR_ARRAYS: Final = "void(float32[::1], float32[::1], float32[::1], float32[::1])"
_BACK: Final[Any] = np.complex64(-1j)
_EIGHTH: Final[Any] = np.complex64(np.exp(-0.25j * np.pi))
_THREE_EIGHTHS: Final[Any] = np.complex64(np.exp(-0.75j * np.pi))
_ONE_HALF: Final[Any] = np.float32(0.5)
_SCALE: Final[Any] = np.float32(1 / HALF)
_TURNS: Final = -2 * np.pi * np.arange(BINS) / SIZE
_TURN_REAL: Final[Samples] = np.cos(_TURNS).astype(np.float32)
_TURN_IMAGINARY: Final[Samples] = np.sin(_TURNS).astype(np.float32)


def _turns(stride: int) -> Samples:
    """Return by what each of 8 x 64 results is turned after a pass, shape (2, 512)."""
    span = _BUTTERFLIES // stride
    turns = np.outer(np.arange(8), np.repeat(np.arange(span), stride)).ravel() / (8 * span)
    return np.stack((np.cos(2 * np.pi * turns), -np.sin(2 * np.pi * turns))).astype(np.float32)


def _order(stride: int) -> NDArray[np.int64]:
    """Return where each input of the next pass is among the results of this one, shape (512,)."""
    p, j, q = np.meshgrid(
        np.arange(_BUTTERFLIES // stride), np.arange(8), np.arange(stride), indexing="ij"
    )
    return (_BUTTERFLIES * j + stride * p + q).ravel()


_TURN: Final = np.stack((_turns(1), _turns(8), _turns(64)))
_ORDER: Final = np.stack((_order(1), _order(8)))


@kernel("void(float32[:, ::1], int64, int64, complex64)", fast=True)
def _put(x: Any, stage: int, at: int, value: complex) -> None:  # noqa: ANN401 - shape (2, 512)
    cosine, sine = _TURN[stage, 0, at], _TURN[stage, 1, at]
    x[0, at] = value.real * cosine - value.imag * sine
    x[1, at] = value.real * sine + value.imag * cosine


@kernel("complex64(float32[:, ::1], int64)", fast=True)
def _get(x: Any, at: int) -> complex:  # noqa: ANN401 - shape (2, 512)
    return complex(x[0, at], x[1, at])


@kernel("void(float32[:, ::1], int64)", fast=True)
def _pass(x: Any, stage: int) -> None:  # noqa: ANN401 - shape (2, 512)
    """Do 64 butterflies of 8 points, all in place, and turn the results."""
    for t in range(_BUTTERFLIES):
        a, b, c, d = _get(x, t), _get(x, t + 64), _get(x, t + 128), _get(x, t + 192)
        e, f, g, h = _get(x, t + 256), _get(x, t + 320), _get(x, t + 384), _get(x, t + 448)
        a, e = a + e, a - e
        b, f = b + f, (b - f) * _EIGHTH
        c, g = c + g, (c - g) * _BACK
        d, h = d + h, (d - h) * _THREE_EIGHTHS
        a, c = a + c, a - c
        b, d = b + d, (b - d) * _BACK
        e, g = e + g, e - g
        f, h = f + h, (f - h) * _BACK
        _put(x, stage, t, a + b)
        _put(x, stage, t + 64, e + f)
        _put(x, stage, t + 128, c + d)
        _put(x, stage, t + 192, g + h)
        _put(x, stage, t + 256, a - b)
        _put(x, stage, t + 320, e - f)
        _put(x, stage, t + 384, c - d)
        _put(x, stage, t + 448, g - h)


@kernel("void(float32[:, ::1], float32[:, ::1], int64)", fast=True)
def _sort(x: Any, y: Any, stage: int) -> None:  # noqa: ANN401 - shapes (2, 512)
    for part in range(2):
        for i in range(HALF):
            y[part, i] = x[part, _ORDER[stage, i]]


@kernel(signature("void", SPECTRUM))
def _transform(s: Record) -> None:
    _pass(s.points, 0)
    _sort(s.points, s.sorted, 0)
    _pass(s.sorted, 1)
    _sort(s.sorted, s.points, 1)
    _pass(s.points, 2)


@kernel(_FOUR_ARRAYS, fast=True)
def _take_apart(z_real: Samples, z_imaginary: Samples, real: Samples, imaginary: Samples) -> None:
    for k in range(1, HALF):
        even_real = _ONE_HALF * (z_real[k] + z_real[HALF - k])
        even_imaginary = _ONE_HALF * (z_imaginary[k] - z_imaginary[HALF - k])
        odd_real = _ONE_HALF * (z_imaginary[k] + z_imaginary[HALF - k])
        odd_imaginary = _ONE_HALF * (z_real[HALF - k] - z_real[k])
        cosine, sine = _TURN_REAL[k], _TURN_IMAGINARY[k]
        real[k] = even_real + odd_real * cosine - odd_imaginary * sine
        imaginary[k] = even_imaginary + odd_real * sine + odd_imaginary * cosine
    real[0], imaginary[0] = z_real[0] + z_imaginary[0], 0.0
    real[HALF], imaginary[HALF] = z_real[0] - z_imaginary[0], 0.0


@kernel(_FOUR_ARRAYS, fast=True)
def _put_together(
    real: Samples, imaginary: Samples, z_real: Samples, z_imaginary: Samples
) -> None:
    for k in range(HALF):
        even_real = real[k] + real[HALF - k]
        even_imaginary = imaginary[k] - imaginary[HALF - k]
        from_real = real[k] - real[HALF - k]
        from_imaginary = imaginary[k] + imaginary[HALF - k]
        cosine, sine = _TURN_REAL[k], _TURN_IMAGINARY[k]
        odd_real = from_real * cosine + from_imaginary * sine
        odd_imaginary = from_imaginary * cosine - from_real * sine
        z_real[k] = even_real - odd_imaginary
        z_imaginary[k] = -(even_imaginary + odd_real)


@kernel("void(float32[::1], float32[::1])", fast=True)
def _scale(real: Samples, imaginary: Samples) -> None:
    for k in range(HALF):
        real[k] *= _ONE_HALF * _SCALE
        imaginary[k] *= -_ONE_HALF * _SCALE


@kernel(signature("void", SPECTRUM))
def forward(s: Record) -> None:
    """Turn the samples in *points* into bins; the points are lost."""
    _transform(s)
    _take_apart(s.points[0], s.points[1], s.bin_real, s.bin_imaginary)


@kernel(signature("void", SPECTRUM))
def backward(s: Record) -> None:
    """Turn bins into the samples in *points*.

    The conjugate is transformed forward, which is the same as the way back.
    """
    _put_together(s.bin_real, s.bin_imaginary, s.points[0], s.points[1])
    _transform(s)
    _scale(s.points[0], s.points[1])
