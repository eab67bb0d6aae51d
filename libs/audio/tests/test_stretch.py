import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sidetone.audio import FRAME_SAMPLES, SAMPLE_RATE, Samples
from sidetone.audio.stretch import LAG_MAX, LAG_MIN, OVERLAP, accelerate, expand, pitch_lag

PAST = LAG_MAX
frames = arrays(
    np.float32, FRAME_SAMPLES, elements=st.floats(-1, 1, width=32, allow_subnormal=False)
)


def sine(frequency_hz: float, samples: int, amplitude: float = 0.5) -> Samples:
    phase = 2 * np.pi * frequency_hz * np.arange(samples) / SAMPLE_RATE
    return (amplitude * np.sin(phase)).astype(np.float32)


def room_for(x: Samples) -> Samples:
    return np.concatenate((x, np.zeros(LAG_MAX, np.float32)))


@given(st.floats(90, 390), st.sampled_from([1, -1]))
def test_the_pitch_lag_is_a_whole_number_of_periods(frequency_hz: float, direction: int) -> None:
    x = sine(frequency_hz, 1200)
    lag, score = pitch_lag(x, 0 if direction > 0 else PAST, LAG_MAX, direction)
    periods = lag * frequency_hz / SAMPLE_RATE
    assert score > 0.98
    assert abs(periods - round(periods)) < 0.03


@given(st.floats(110, 390))
def test_a_stretched_tone_is_the_same_tone(frequency_hz: float) -> None:
    x = sine(frequency_hz, PAST + 960)
    shorter, longer = room_for(x), room_for(x)
    short = accelerate(shorter, PAST, x.size, LAG_MAX)
    long = expand(longer, PAST, x.size, LAG_MAX)
    assert PAST + OVERLAP <= short < x.size < long <= x.size + LAG_MAX
    step = 2 * np.pi * frequency_hz / SAMPLE_RATE * 0.5
    for y in (shorter[:short], longer[:long]):
        assert np.max(np.abs(np.diff(y))) < step * 1.1
        assert abs(np.max(np.abs(y)) - 0.5) < 0.02


@given(frames, frames, frames)
def test_a_stretch_moves_the_end_and_nothing_else(
    before: Samples, first: Samples, second: Samples
) -> None:
    x = np.concatenate((np.zeros(PAST - FRAME_SAMPLES, np.float32), before, first, second))
    shorter, longer = room_for(x), room_for(x)
    short = accelerate(shorter, PAST, x.size, LAG_MAX)
    long = expand(longer, PAST, x.size, LAG_MAX)
    assert PAST + OVERLAP <= short <= x.size <= long <= x.size + LAG_MAX
    cut, added = x.size - short, long - x.size
    assert np.array_equal(shorter[PAST + OVERLAP : short], x[PAST + OVERLAP + cut :])
    assert np.array_equal(longer[PAST + OVERLAP : long], x[PAST + OVERLAP - added :])
    assert np.array_equal(shorter[:PAST], x[:PAST])
    assert np.array_equal(longer[:PAST], x[:PAST])


@given(st.floats(110, 390), st.integers(0, LAG_MAX))
def test_no_more_is_stretched_than_is_allowed(frequency_hz: float, lag_max: int) -> None:
    x = sine(frequency_hz, PAST + 960)
    shorter, longer = room_for(x), room_for(x)
    cut = x.size - accelerate(shorter, PAST, x.size, lag_max)
    added = expand(longer, PAST, x.size, lag_max) - x.size
    for lag in (cut, added):
        assert lag == 0 or LAG_MIN <= lag <= lag_max


def test_one_overlap_ahead_is_enough_to_repeat_the_longest_period() -> None:
    x = sine(85, PAST + OVERLAP)
    assert expand(room_for(x), PAST, x.size, LAG_MAX) > x.size + 500


def test_noise_is_not_stretched_and_silence_is() -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, PAST + 960).astype(np.float32)
    silence = np.zeros(PAST + 960, np.float32)
    assert accelerate(room_for(noise), PAST, noise.size, LAG_MAX) == noise.size
    assert expand(room_for(noise), PAST, noise.size, LAG_MAX) == noise.size
    assert accelerate(room_for(silence), PAST, silence.size, LAG_MAX) < silence.size


def test_too_little_sound_is_not_stretched() -> None:
    tone = sine(200, PAST + OVERLAP)
    assert accelerate(room_for(tone), PAST, tone.size, LAG_MAX) == tone.size
    assert expand(room_for(tone), PAST, tone.size - 1, LAG_MAX) == tone.size - 1
