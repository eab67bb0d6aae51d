from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples, gate, processing, suppression
from sidetone.native import kernel
from sidetone.native.functions import floats_at, thunk

SILENCE = np.zeros(HOP_SAMPLES, np.float32)
HANGOVER_HOPS = 60

anything = arrays(np.float32, HOP_SAMPLES, elements=st.floats(width=32, allow_subnormal=False))
sounds = arrays(
    np.float32, HOP_SAMPLES, elements=st.floats(-1, 1, width=32, allow_subnormal=False)
)
settings = st.fixed_dictionaries(
    {
        "suppression": st.integers(-1, 4),
        "gain_control": st.integers(0, 1),
        "target_db": st.floats(-60, 0),
        "input_volume": st.floats(allow_nan=True, allow_infinity=True),
        "activation": st.integers(0, 2),
        "threshold_db": st.floats(-20, 20),
        "pushed": st.integers(0, 1),
        "release_ms": st.floats(allow_nan=True, allow_infinity=True),
        "hangover_ms": st.floats(allow_nan=True, allow_infinity=True),
        "muted": st.integers(0, 1),
    }
)


def tone(amplitude: float = 0.2, hop: int = 0) -> Samples:
    at = np.arange(HOP_SAMPLES) + hop * HOP_SAMPLES
    return (amplitude * np.sin(2 * np.pi * 300 * at / SAMPLE_RATE)).astype(np.float32)


def processed(p: Any, x: Samples, far: Samples = SILENCE) -> Samples:
    out = x.copy()
    processing.process_hop(p, out, far)
    return out


def plain() -> Any:
    """A chain that changes nothing but what the test is about."""
    p = processing.fresh()
    p.suppression = p.suppressor = processing.OFF
    p.gain_control = 0
    return p


@given(st.lists(st.tuples(anything, settings), min_size=1, max_size=8))
def test_whatever_comes_in_a_sound_comes_out(hops: list[tuple[Samples, dict[str, Any]]]) -> None:
    p = processing.fresh()
    for x, words in hops:
        for name, value in words.items():
            setattr(p, name, value)
        y = processed(p, x)
        assert np.all(np.isfinite(y))
        assert np.max(np.abs(y)) <= 1.0
        assert np.isfinite(p.level_db)


def test_a_hop_that_is_no_sound_is_silence_and_is_counted() -> None:
    p = plain()
    for bad in (np.nan, np.inf, -np.inf):
        x = tone()
        x[17] = bad
        assert np.max(np.abs(processed(plain(), x))) < 1e-6
        processed(p, x)
    assert p.bad_hops == 3
    processed(p, tone())
    assert p.bad_hops == 3


def test_a_microphone_that_is_set_too_loud_is_counted() -> None:
    p = plain()
    processed(p, tone(0.99))
    assert p.clipped == 0
    processed(p, tone(1.5))
    assert p.clipped == 1


@pytest.mark.parametrize("level", [processing.OFF, processing.LOW, processing.HIGH])
def test_silence_stays_silence(level: int) -> None:
    p = processing.fresh()
    p.suppression = level
    for _ in range(800):
        assert np.max(np.abs(processed(p, SILENCE))) < 1e-12
        assert not p.open
    assert p.level_db == pytest.approx(-120)


def test_without_suppression_nothing_is_later() -> None:
    p = plain()
    click = np.zeros(HOP_SAMPLES, np.float32)
    click[50] = 0.5
    assert np.argmax(np.abs(processed(p, click))) == 50


def test_with_suppression_sound_is_two_and_a_half_milliseconds_later(ada: Samples) -> None:
    without, with_it = plain(), plain()
    with_it.suppression = with_it.suppressor = processing.LOW
    hops = ada[: 400 * HOP_SAMPLES].reshape(-1, HOP_SAMPLES)
    x = np.concatenate([processed(without, hop) for hop in hops])
    y = np.concatenate([processed(with_it, hop) for hop in hops])
    scores = [float(np.dot(x[: y.size - late], y[late:])) for late in range(300)]
    assert int(np.argmax(scores)) == suppression.DELAY_SAMPLES


def test_switching_suppression_does_not_click() -> None:
    p = plain()
    step = np.max(np.abs(np.diff(tone())))
    out = []
    for hop in range(300):
        p.suppression = (processing.OFF, processing.HIGH, processing.LOW)[hop // 10 % 3]
        out.append(processed(p, tone(hop=hop)))
    assert np.max(np.abs(np.diff(np.concatenate(out)))) < 2.5 * step


@pytest.mark.parametrize("level", [processing.OFF, processing.HIGH])
def test_the_gate_opens_within_ten_milliseconds_of_speech(level: int) -> None:
    p = processing.fresh()
    p.suppression = level
    rng = np.random.default_rng(2)
    opened = []
    for hop in range(402):
        noise = (rng.standard_normal(HOP_SAMPLES) * 1e-3).astype(np.float32)
        processed(p, noise + (tone(hop=hop) if hop >= 400 else SILENCE))
        opened.append(p.open)
    assert opened[398:400] == [0, 0]
    assert opened[401] == 1


def test_the_gate_closes_after_the_hangover() -> None:
    p = plain()
    for hop in range(50):
        processed(p, tone(hop=hop))
    opened = []
    for _ in range(100):
        processed(p, SILENCE)
        opened.append(p.open)
    assert HANGOVER_HOPS - 1 <= opened.count(1) <= HANGOVER_HOPS + 3, "the filter may ring"
    assert opened == sorted(opened, reverse=True)


def test_the_hangover_is_as_long_as_told() -> None:
    p = plain()
    p.hangover_ms = 100.0
    for hop in range(50):
        processed(p, tone(hop=hop))
    opened = []
    for _ in range(100):
        processed(p, SILENCE)
        opened.append(p.open)
    assert 19 <= opened.count(1) <= 23


def test_steady_noise_closes_the_gate_sooner_where_it_is_suppressed() -> None:
    rng = np.random.default_rng(5)
    hops_open = []
    for level in (processing.OFF, processing.HIGH):
        p = processing.fresh()
        p.suppression = level
        opened = 0
        for _ in range(1000):
            processed(p, (rng.standard_normal(HOP_SAMPLES) * 0.005).astype(np.float32))
            opened += int(p.open)
        hops_open.append(opened)
    assert hops_open[1] < 100 < hops_open[0] < 800


def test_speech_opens_the_gate_for_most_of_it(ada: Samples) -> None:
    p = processing.fresh()
    hops = ada[: ada.size // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES)
    opened = 0
    for hop in hops:
        processed(p, hop)
        opened += int(p.open)
    assert opened > 0.9 * len(hops)


def test_mute_fades_within_one_hop_and_the_meter_goes_on() -> None:
    p = plain()
    for hop in range(20):
        before = processed(p, tone(hop=hop))
    p.muted = 1
    last = processed(p, tone(hop=20))
    assert p.open == 1
    assert last[-1] == 0.0
    assert np.max(np.abs(np.diff(np.concatenate((before, last))))) < 0.01
    assert not np.any(processed(p, tone(hop=21)))
    assert p.open == 0
    assert p.level_db > -30
    assert p.speech == 1
    p.muted = 0
    assert processed(p, tone(hop=22))[0] < 0.01
    assert p.open == 1


def test_push_to_talk_sends_what_the_key_says_and_nothing_else() -> None:
    p = plain()
    p.activation, p.release_ms = gate.BY_KEY, 50.0
    opened = []
    for hop in range(60):
        p.pushed = 20 <= hop < 30
        processed(p, tone(hop=hop))
        opened.append(p.open)
    assert opened == [0] * 20 + [1] * (10 + 10) + [0] * 20


def test_always_open_is_open_in_silence() -> None:
    p = plain()
    p.activation = gate.ALWAYS
    processed(p, SILENCE)
    assert p.open == 1
    assert p.speech == 0


@pytest.mark.parametrize(("volume", "expected"), [(0.0, 0.0), (0.5, 0.1), (2.0, 0.4), (9.0, 0.4)])
def test_the_input_volume_is_a_factor_up_to_two(volume: float, expected: float) -> None:
    p = plain()
    p.input_volume = volume
    for hop in range(20):
        y = processed(p, tone(0.2, hop))
    assert np.max(np.abs(y)) == pytest.approx(expected, rel=0.02)


def test_gain_control_brings_a_quiet_voice_up_and_is_off_at_once() -> None:
    p = plain()
    p.gain_control = 1
    for hop in range(2000):
        y = processed(p, tone(0.02, hop))
    assert p.gain_db > 9
    assert np.max(np.abs(y)) > 0.06
    p.gain_control = 0
    processed(p, tone(0.02))
    assert p.gain_db == 0.0
    assert np.max(np.abs(processed(p, tone(0.02)))) < 0.025


def test_gain_does_not_move_while_muted() -> None:
    p = plain()
    p.gain_control = p.muted = 1
    for hop in range(500):
        processed(p, tone(0.02, hop))
    assert p.gain_db == 0.0


@kernel("void(uintp, float32)")
def scale_far_into_near(at: int, factor: float) -> None:
    sound = floats_at(at, 2 * HOP_SAMPLES)
    for i in range(HOP_SAMPLES):
        sound[i] = sound[HOP_SAMPLES + i] * factor


def test_the_echo_hook_sees_the_loudspeaker_and_changes_the_microphone() -> None:
    def hook(_handle: int, sound: int, samples: int) -> int:
        assert samples == HOP_SAMPLES
        scale_far_into_near(sound, 0.5)
        return 0

    p = plain()
    p.echo_function = thunk(hook, "i", "ppn")
    far = np.linspace(0, 1, HOP_SAMPLES).astype(np.float32)
    assert np.allclose(processed(p, tone(), far), far / 2)


def test_a_hook_that_fails_is_not_called_again_and_the_call_goes_on() -> None:
    calls = []

    def hook(_handle: int, _sound: int, _samples: int) -> int:
        calls.append(1)
        return 1

    p = plain()
    p.echo_function = p.suppress_function = thunk(hook, "i", "ppn")
    p.suppression = p.suppressor = processing.MAX
    for hop in range(10):
        y = processed(p, tone(hop=hop))
    assert len(calls) == p.processor_failures == 2
    assert np.max(np.abs(y)) > 0.01


def test_what_a_hook_makes_is_checked_like_what_a_microphone_makes() -> None:
    def hook(_handle: int, sound: int, _samples: int) -> int:
        scale_far_into_near(sound, np.nan)
        return 0

    p = plain()
    p.echo_function = thunk(hook, "i", "ppn")
    assert not np.any(processed(p, tone()))
    assert p.bad_hops == 1


@given(sounds)
def test_max_without_its_hook_is_high(x: Samples) -> None:
    by_hook, own = plain(), plain()
    by_hook.suppression, own.suppression = processing.MAX, processing.HIGH
    for _ in range(5):
        assert np.array_equal(processed(by_hook, x), processed(own, x))
