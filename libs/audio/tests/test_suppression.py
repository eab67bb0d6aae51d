from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import butter, sosfilt

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples, suppression
from sidetone.native import records

DELAY = suppression.DELAY_SAMPLES


def white(samples: int, level: float = 0.01) -> Samples:
    return (np.random.default_rng(1).standard_normal(samples) * level).astype(np.float32)


def fan(samples: int, level: float = 0.01) -> Samples:
    low = sosfilt(butter(2, 400, fs=SAMPLE_RATE, output="sos"), white(samples, 1.0))
    hum = np.sin(2 * np.pi * 120 * np.arange(samples) / SAMPLE_RATE)
    return (level * (low / np.std(low) + 0.5 * hum)).astype(np.float32)


def suppressed(x: Samples, floor_db: float = -18.0, s: Any = None) -> Samples:
    state = records(suppression.SUPPRESSION, 1)[0] if s is None else s
    out = x[: x.size // HOP_SAMPLES * HOP_SAMPLES].copy()
    for hop in out.reshape(-1, HOP_SAMPLES):
        suppression.suppress(state, hop, floor_db)
    return out


def level_db(x: Samples) -> float:
    return 10 * float(np.log10(np.mean(x.astype(np.float64) ** 2) + 1e-30))


@pytest.mark.parametrize("noise", [white, fan])
@pytest.mark.parametrize("floor_db", [-10.0, -18.0])
def test_steady_noise_goes_down_almost_to_the_floor(noise: Any, floor_db: float) -> None:
    x = noise(2 * SAMPLE_RATE)
    lowered_db = level_db(suppressed(x, floor_db)[SAMPLE_RATE:]) - level_db(x[SAMPLE_RATE:])
    assert floor_db - 0.1 <= lowered_db <= floor_db + 3.0


def test_a_quiet_room_is_left_alone() -> None:
    x = white(2 * SAMPLE_RATE, 10 ** (-75 / 20))
    lost = suppressed(x)[DELAY:] - x[:-DELAY]
    assert level_db(lost[SAMPLE_RATE:]) < level_db(x) - 25


def test_without_a_floor_to_go_to_sound_is_only_later() -> None:
    x = white(SAMPLE_RATE)
    assert np.allclose(suppressed(x, 0.0)[DELAY:], x[:-DELAY], atol=1e-5)


def test_who_speaks_from_the_beginning_is_not_taken_for_noise(ada: Samples) -> None:
    """The noise is learnt from the first word; a second later nothing may be left of that."""
    loud = int(np.argmax(np.abs(ada[: 4 * SAMPLE_RATE])))
    x = ada[loud : loud + 3 * SAMPLE_RATE]
    y = suppressed(x)[SAMPLE_RATE:]
    assert level_db(y) > level_db(x[SAMPLE_RATE:]) - 1.0


def test_speech_without_noise_stays(ada: Samples) -> None:
    x = ada[: 4 * SAMPLE_RATE]
    y = suppressed(x)
    assert abs(level_db(y) - level_db(x)) < 0.5
    error = y[DELAY:] - x[: y.size - DELAY]
    assert level_db(error) < level_db(x) - 15


def test_speech_comes_out_of_noise(ada: Samples) -> None:
    speech = np.concatenate((np.zeros(SAMPLE_RATE, np.float32), ada[: 4 * SAMPLE_RATE]))
    noise = white(speech.size, float(np.std(ada)) * 0.5)
    y = suppressed(speech + noise)
    before = level_db(noise) - level_db(speech)
    after = level_db(y[DELAY:] - speech[: y.size - DELAY]) - level_db(speech)
    assert after < before - 3


def test_speech_is_not_taken_for_noise_however_long(ada: Samples) -> None:
    x = np.tile(ada[: 3 * SAMPLE_RATE], 4)
    y = suppressed(x)
    assert level_db(y[-3 * SAMPLE_RATE :]) > level_db(x[-3 * SAMPLE_RATE :]) - 1


def test_noise_that_grows_is_learned_within_seven_seconds() -> None:
    x = white(9 * SAMPLE_RATE)
    x[SAMPLE_RATE:] *= 10
    last = slice(8 * SAMPLE_RATE, None)
    assert level_db(suppressed(x)[last]) < level_db(x[last]) - 12


def test_silence_stays_silence() -> None:
    assert not np.any(suppressed(np.zeros(SAMPLE_RATE, np.float32)))


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60), st.integers(0, 1000))
def test_every_sound_stays_a_sound(levels: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    s = records(suppression.SUPPRESSION, 1)[0]
    for level in levels:
        x = (rng.uniform(-1, 1, HOP_SAMPLES) * level).astype(np.float32)
        suppression.suppress(s, x, -18.0)
        assert np.all(np.isfinite(x))
        assert np.max(np.abs(x)) < 3
