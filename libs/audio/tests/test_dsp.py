import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.signal import butter, sosfilt

from sidetone.audio import FRAME_SAMPLES, SAMPLE_RATE, Samples, dsp

frames = arrays(
    np.float32, FRAME_SAMPLES, elements=st.floats(-1, 1, width=32, allow_subnormal=False)
)


def sine(frequency_hz: float, samples: int, amplitude: float = 0.5) -> Samples:
    phase = 2 * np.pi * frequency_hz * np.arange(samples) / SAMPLE_RATE
    return (amplitude * np.sin(phase)).astype(np.float32)


def filtered(x: Samples) -> Samples:
    """Run the high-pass frame by frame, as the chain does."""
    state, out = np.zeros(4), x.copy()
    for frame in out.reshape(-1, FRAME_SAMPLES):
        dsp.high_pass(frame, state)
    return out


@given(frames, frames)
def test_the_high_pass_is_the_butterworth_of_scipy(first: Samples, second: Samples) -> None:
    x = np.concatenate((first, second))
    oracle = sosfilt(butter(4, dsp.CUTOFF_HZ, "highpass", fs=SAMPLE_RATE, output="sos"), x)
    assert np.allclose(filtered(x), oracle, atol=1e-5)


def test_the_high_pass_takes_rumble_and_leaves_speech() -> None:
    rumble, speech = sine(30, SAMPLE_RATE), sine(300, SAMPLE_RATE)
    deep = sine(90, SAMPLE_RATE)
    assert np.std(filtered(rumble)[24000:]) < 0.02 * np.std(rumble)
    assert np.std(filtered(deep)[24000:]) > 0.75 * np.std(deep)
    assert np.std(filtered(speech)[24000:]) > 0.97 * np.std(speech)


@given(frames)
def test_the_level_is_the_rms(x: Samples) -> None:
    oracle = 10 * math.log10(float(np.mean(x.astype(np.float64) ** 2)) + 1e-12)
    assert math.isclose(dsp.level_db(x), oracle, abs_tol=1e-3)


@given(frames, frames, st.floats(0, 2), st.floats(0, 2))
def test_a_mix_glides_between_gains(total: Samples, x: Samples, low: float, high: float) -> None:
    expected = total + x * (low + (high - low) * np.arange(1, FRAME_SAMPLES + 1) / FRAME_SAMPLES)
    mixed = total.copy()
    dsp.mix(mixed, x, low, high)
    assert np.allclose(mixed, expected, atol=1e-5)


@given(frames, st.floats(0, 2), st.floats(0, 2))
def test_an_output_gain_glides_over_the_frame(x: Samples, low: float, high: float) -> None:
    expected = x * (low + (high - low) * np.arange(1, FRAME_SAMPLES + 1) / FRAME_SAMPLES)
    dsp.amplify(x, low, high)
    assert np.allclose(x, expected, atol=1e-5)


def test_a_gain_of_one_changes_nothing() -> None:
    x = sine(1000, FRAME_SAMPLES)
    y = x.copy()
    dsp.amplify(y, 1, 1)
    assert np.array_equal(x, y)


@given(arrays(np.float32, FRAME_SAMPLES, elements=st.floats(-100, 100, width=32)))
def test_the_soft_limiter_is_a_wire_then_a_knee(x: Samples) -> None:
    y = x.copy()
    dsp.soft_limit(y)
    quiet = np.abs(x) <= dsp.KNEE
    assert np.array_equal(y[quiet], x[quiet])
    assert np.max(np.abs(y)) <= 1.0
    order = np.argsort(x, kind="stable")
    assert np.all(np.diff(y[order]) >= 0)
