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
    coefficients, state, out = dsp.high_pass_coefficients(100.0), np.zeros(4), x.copy()
    for frame in out.reshape(-1, FRAME_SAMPLES):
        dsp.high_pass(frame, coefficients, state)
    return out


@given(frames, frames)
def test_the_high_pass_is_the_butterworth_of_scipy(first: Samples, second: Samples) -> None:
    x = np.concatenate((first, second))
    oracle = sosfilt(butter(4, 100.0, "highpass", fs=SAMPLE_RATE, output="sos"), x)
    assert np.allclose(filtered(x), oracle, atol=1e-5)


def test_the_high_pass_takes_rumble_and_leaves_speech() -> None:
    rumble, speech = sine(30, SAMPLE_RATE), sine(300, SAMPLE_RATE)
    assert np.std(filtered(rumble)[24000:]) < 0.02 * np.std(rumble)
    assert np.std(filtered(speech)[24000:]) > 0.97 * np.std(speech)


@given(frames)
def test_the_level_is_the_rms(x: Samples) -> None:
    oracle = 10 * math.log10(float(np.mean(x.astype(np.float64) ** 2)) + 1e-12)
    assert math.isclose(dsp.level_db(x), oracle, abs_tol=1e-3)


def voice_of(levels_db: list[float]) -> list[bool]:
    state = np.array(dsp.VOICE_STATE)
    return [bool(dsp.voice_activity(level, state)) for level in levels_db]


def test_speech_opens_at_once_and_hangs_over_300_ms() -> None:
    active = voice_of([-90.0] * 50 + [-20.0] * 10 + [-90.0] * 50)
    assert active.index(True) == 50
    assert active.count(True) == 10 + 29


def test_steady_noise_becomes_the_floor_within_three_seconds() -> None:
    active = voice_of([-48.0] * 400)
    assert active[0]
    assert not any(active[340:])


def test_a_long_note_never_becomes_noise() -> None:
    assert all(voice_of([-25.0] * 2000))


def test_speech_over_noise_is_still_heard() -> None:
    active = voice_of([-48.0] * 400 + [-25.0] * 5)
    assert not active[399]
    assert active[400]


@given(st.lists(st.floats(-120, 0), max_size=300))
def test_the_floor_stays_believable(levels_db: list[float]) -> None:
    state = np.array(dsp.VOICE_STATE)
    for level in levels_db:
        dsp.voice_activity(level, state)
        assert -65 <= state[0] <= -40


def test_gain_brings_a_quiet_voice_to_the_target() -> None:
    state, tone = np.array(dsp.GAIN_STATE), sine(200, FRAME_SAMPLES, 0.02)
    for _ in range(1500):
        x = tone.copy()
        dsp.gain_control(x, state, True, -20.0)
    assert abs(dsp.level_db(x) - -20.0) < 3.5


def test_gain_leaves_a_good_level_alone() -> None:
    state, tone = np.array(dsp.GAIN_STATE), sine(200, FRAME_SAMPLES, 0.14)
    x = tone.copy()
    for _ in range(500):
        x = tone.copy()
        dsp.gain_control(x, state, True, -20.0)
    assert np.allclose(x, tone, atol=1e-6)


def test_gain_does_not_grow_in_silence() -> None:
    state = np.array(dsp.GAIN_STATE)
    for _ in range(1000):
        dsp.gain_control(sine(200, FRAME_SAMPLES, 0.001), state, False, -20.0)
    assert state[0] == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_gain_never_exceeds_full_scale_and_limits_steady_peaks(amplitudes: list[float]) -> None:
    state = np.array([18.0, 0.01, 1.0])
    for amplitude in amplitudes:
        x = sine(250, FRAME_SAMPLES, amplitude)
        dsp.gain_control(x, state, True, -20.0)
        assert np.max(np.abs(x)) <= 1.0
    for _ in range(2):
        x = sine(250, FRAME_SAMPLES, amplitudes[-1])
        dsp.gain_control(x, state, True, -20.0)
    assert np.max(np.abs(x)) <= dsp.LIMIT * 1.02


@given(frames, frames, st.floats(0, 2), st.floats(0, 2))
def test_a_mix_glides_between_gains(total: Samples, x: Samples, low: float, high: float) -> None:
    expected = total + x * (low + (high - low) * np.arange(1, FRAME_SAMPLES + 1) / FRAME_SAMPLES)
    mixed = total.copy()
    dsp.mix(mixed, x, low, high)
    assert np.allclose(mixed, expected, atol=1e-5)


@given(arrays(np.float32, FRAME_SAMPLES, elements=st.floats(-100, 100, width=32)))
def test_the_soft_limiter_is_a_wire_then_a_knee(x: Samples) -> None:
    y = x.copy()
    dsp.soft_limit(y)
    quiet = np.abs(x) <= dsp.KNEE
    assert np.array_equal(y[quiet], x[quiet])
    assert np.max(np.abs(y)) <= 1.0
    order = np.argsort(x, kind="stable")
    assert np.all(np.diff(y[order]) >= 0)


@given(st.floats(90, 390))
def test_the_pitch_lag_is_a_whole_number_of_periods(frequency_hz: float) -> None:
    x = sine(frequency_hz, 1200)
    lag, score = dsp.pitch_lag(x, dsp.LAG_MAX)
    periods = lag * frequency_hz / SAMPLE_RATE
    assert score > 0.98
    assert abs(periods - round(periods)) < 0.03


def room_for(x: Samples) -> Samples:
    return np.concatenate((x, np.zeros(dsp.LAG_MAX, np.float32)))


@given(st.floats(110, 390))
def test_a_stretched_tone_is_the_same_tone(frequency_hz: float) -> None:
    x = sine(frequency_hz, 960)
    shorter, longer = room_for(x), room_for(x)
    short, long = dsp.accelerate(shorter, 960, 480), dsp.expand(longer, 960)
    assert 480 <= short < 960 < long <= 960 + dsp.LAG_MAX
    step = 2 * np.pi * frequency_hz / SAMPLE_RATE * 0.5
    for y in (shorter[:short], longer[:long]):
        assert np.max(np.abs(np.diff(y))) < step * 1.1
        assert abs(np.max(np.abs(y)) - 0.5) < 0.02


@given(frames, frames)
def test_a_stretch_moves_the_end_and_nothing_else(first: Samples, second: Samples) -> None:
    x = np.concatenate((first, second))
    shorter, longer = room_for(x), room_for(x)
    short, long = dsp.accelerate(shorter, 960, 480), dsp.expand(longer, 960)
    assert 480 <= short <= 960 <= long <= 960 + dsp.LAG_MAX
    cut, added = 960 - short, long - 960
    assert np.array_equal(shorter[dsp.OVERLAP : short], x[dsp.OVERLAP + cut :])
    assert np.array_equal(longer[added + dsp.OVERLAP : long], x[dsp.OVERLAP :])
    assert np.array_equal(longer[:added], x[:added])


def test_noise_is_not_stretched_and_silence_is() -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 960).astype(np.float32)
    assert dsp.accelerate(room_for(noise), 960, 480) == 960
    assert dsp.expand(room_for(noise), 960) == 960
    assert dsp.accelerate(room_for(np.zeros(960, np.float32)), 960, 480) < 960


def test_too_little_sound_is_not_stretched() -> None:
    tone = sine(200, 480)
    assert dsp.accelerate(room_for(tone), 480, 480) == 480
