from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples, dsp, gain
from sidetone.native import records


def tone(amplitude: float, hop: int = 0) -> Samples:
    at = np.arange(HOP_SAMPLES) + hop * HOP_SAMPLES
    return (amplitude * np.sin(2 * np.pi * 200 * at / SAMPLE_RATE)).astype(np.float32)


def fresh(gain_db: float = 0.0) -> Any:
    g = records(gain.GAIN, 1)[0]
    g.gain_db = gain_db
    g.limiter = g.applied = 1.0
    return g


def after(g: Any, x: Samples, *, speaks: bool = True, volume: float = 1.0) -> Samples:
    if speaks:
        gain.follow(g, x, -20.0)
    gain.apply(g, x, volume)
    return x


def test_a_quiet_voice_is_brought_to_the_target() -> None:
    g = fresh()
    for _ in range(2999):
        after(g, tone(0.02))
    assert abs(dsp.level_db(after(g, tone(0.02))) - -20.0) < 3.5


def test_a_loud_voice_is_brought_down() -> None:
    g = fresh()
    for _ in range(2999):
        after(g, tone(0.5))
    assert abs(dsp.level_db(after(g, tone(0.5))) - -20.0) < 3.5


def test_a_good_level_is_left_alone() -> None:
    g = fresh()
    for _ in range(1000):
        assert np.array_equal(after(g, tone(0.14)), tone(0.14))


def test_the_gain_does_not_grow_in_silence() -> None:
    g = fresh()
    for _ in range(2000):
        after(g, tone(0.001), speaks=False)
    assert g.gain_db == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 2))
def test_nothing_exceeds_full_scale_and_steady_peaks_stay_under_the_limit(
    amplitudes: list[float], volume: float
) -> None:
    g = fresh(18.0)
    for amplitude in amplitudes:
        assert np.max(np.abs(after(g, tone(amplitude), volume=volume))) <= 1.0
    for _ in range(2):
        x = after(g, tone(amplitudes[-1]), volume=volume)
    assert np.max(np.abs(x)) <= gain.LIMIT * 1.02


def test_a_peak_after_the_first_millisecond_stays_under_the_limit() -> None:
    x = np.zeros(HOP_SAMPLES, np.float32)
    x[100:] = 0.9
    assert np.max(np.abs(after(fresh(18.0), x))) <= gain.LIMIT * 1.001


def test_the_limiter_lets_go_within_a_second() -> None:
    g = fresh()
    after(g, tone(1.0), speaks=False, volume=2.0)
    assert g.applied < 0.9
    for hop in range(200):
        x = after(g, tone(0.01, hop), speaks=False)
    assert abs(np.max(np.abs(x)) - 0.01) < 1e-3


@given(st.floats(0, 2), st.floats(0, 2))
def test_a_change_of_volume_glides_over_the_hop(before: float, now: float) -> None:
    g = fresh()
    level = np.full(HOP_SAMPLES, 0.1, np.float32)
    after(g, level.copy(), speaks=False, volume=before)
    x = after(g, level.copy(), speaks=False, volume=now)
    assert abs(x[0] - 0.1 * before) <= 0.1 * abs(now - before) / 48 + 1e-6
    assert abs(x[-1] - 0.1 * now) < 1e-6
    assert np.max(np.abs(np.diff(x))) <= 0.1 * abs(now - before) / 48 + 1e-6
