import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidetone.audio import FRAME_NS, FRAME_SAMPLES, Samples
from sidetone.audio.quality import delays_ms
from sidetone.audio.tracks import Track


def track_of(sound: Samples, begin_ns: int = 0, late_ns: list[int] | None = None) -> Track:
    track = Track(600)
    for n, frame in enumerate(sound[: sound.size // 480 * 480].reshape(-1, FRAME_SAMPLES)):
        track.append(frame, begin_ns + n * FRAME_NS + (late_ns[n] if late_ns else 0))
    return track


@settings(max_examples=20, deadline=None)
@given(samples=st.integers(0, 20_000), begin_ms=st.integers(-5, 200))
def test_a_known_delay_is_found(ada: Samples, samples: int, begin_ms: int) -> None:
    voice = ada[: 48_000 * 6]
    late = np.concatenate((np.zeros(samples, np.float32), voice))
    found = delays_ms(track_of(voice), track_of(late, begin_ms * 1_000_000))
    expected = samples / 48 + begin_ms
    if expected > 490 or expected < 0:
        return
    assert len(found) >= 4
    assert np.allclose(found, expected, atol=0.1)


def test_noise_and_gain_do_not_matter(ada: Samples) -> None:
    rng = np.random.default_rng(1)
    late = np.concatenate((np.zeros(2_400, np.float32), ada)) * 0.2
    late += rng.normal(0, 0.005, late.size).astype(np.float32)
    found = delays_ms(track_of(ada), track_of(late))
    assert len(found) > 40
    assert np.allclose(found, 50, atol=0.1)


def test_another_voice_has_no_delay(ada: Samples, ben: Samples) -> None:
    assert delays_ms(track_of(ada), track_of(ben)) == []


def test_silence_and_tones_have_no_clear_delay() -> None:
    tone = np.sin(2 * np.pi * 37 * np.arange(480_000) / 48_000).astype(np.float32) * 0.5
    assert delays_ms(track_of(tone), track_of(tone)) == []
    quiet = np.zeros(480_000, np.float32)
    assert delays_ms(track_of(quiet), track_of(quiet)) == []
    assert delays_ms(Track(), Track()) == []


def test_a_single_late_wake_up_does_not_move_the_delay(ada: Samples) -> None:
    late_ns = [9_000_000 if n % 30 == 0 else 0 for n in range(ada.size // 480)]
    found = delays_ms(track_of(ada), track_of(ada, 20_000_000, late_ns))
    assert np.allclose(found, 20, atol=0.03)


def test_windows_over_a_jump_of_the_clock_are_left_out(ada: Samples) -> None:
    half = ada.size // 960
    jump_ns = [0 if n < half else 100_000_000 for n in range(ada.size // 480)]
    found = delays_ms(track_of(ada), track_of(ada, 20_000_000, jump_ns))
    assert {round(delay) for delay in found} == {20, 120}


@pytest.mark.parametrize("step_ms", [40])
def test_a_change_of_delay_shows(ada: Samples, step_ms: int) -> None:
    middle = ada.size // 960 * 480
    later = np.concatenate((ada[:middle], np.zeros(step_ms * 48, np.float32), ada[middle:]))
    found = delays_ms(track_of(ada), track_of(later, 10_000_000))
    assert {round(found[0]), round(found[-1])} == {10, 10 + step_ms}
