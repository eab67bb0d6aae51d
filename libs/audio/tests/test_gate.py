from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import HOP_SAMPLES, Samples, gate
from sidetone.native import records

HANGOVER_HOPS = 60


def fresh_voice() -> Any:
    v = records(gate.VOICE, 1)[0]
    v.floor_db = v.lowest_db = v.lowest_now_db = -60.0
    return v


def fresh_gate() -> Any:
    g = records(gate.GATE, 1)[0]
    g.audible = 1
    return g


def heard(levels_db: list[float], threshold_db: float = 0.0) -> list[bool]:
    v = fresh_voice()
    return [bool(gate.hear(v, 10 ** (db / 10), threshold_db, 300.0)) for db in levels_db]


def test_speech_opens_at_once_and_hangs_over_300_ms() -> None:
    active = heard([-90.0] * 100 + [-20.0] * 20 + [-90.0] * 100)
    assert active.index(True) == 100
    assert active.count(True) == 20 + HANGOVER_HOPS


def test_steady_noise_becomes_the_floor_within_three_seconds() -> None:
    active = heard([-48.0] * 800)
    assert active[0]
    assert not any(active[680:])


def test_a_long_note_never_becomes_noise() -> None:
    assert all(heard([-25.0] * 4000))


def test_speech_over_noise_is_still_heard() -> None:
    active = heard([-48.0] * 800 + [-25.0] * 5)
    assert not active[799]
    assert active[800]


def test_a_higher_threshold_asks_for_more() -> None:
    quiet = [-90.0] * 100 + [-50.0] * 10
    assert any(heard(quiet))
    assert not any(heard(quiet, threshold_db=10.0))
    assert not any(heard([-90.0] * 100 + [-60.0] * 10))
    assert any(heard([-90.0] * 100 + [-60.0] * 10, threshold_db=-4.0))


@given(st.lists(st.floats(-120, 0), max_size=300))
def test_the_floor_stays_believable(levels_db: list[float]) -> None:
    v = fresh_voice()
    for db in levels_db:
        gate.hear(v, 10 ** (db / 10), 0.0, 300.0)
        assert -65 <= v.floor_db <= -40


@pytest.mark.parametrize(
    ("ms", "hops"), [(0, 0), (-5, 0), (float("nan"), 0), (5, 1), (300, 60), (1e9, 2000)]
)
def test_a_time_in_hops_is_bounded(ms: float, hops: int) -> None:
    assert gate.hops_of(ms) == hops


def level() -> Samples:
    return np.full(HOP_SAMPLES, 0.5, np.float32)


def run_key(pushes: list[int], release_ms: float) -> list[tuple[bool, Samples]]:
    g, hops = fresh_gate(), []
    for pushed in pushes:
        x = level()
        audible = gate.allowed(g, gate.BY_KEY, pushed, release_ms)
        hops.append((bool(gate.pass_on(g, x, audible, True)), x))
    return hops


@pytest.mark.parametrize(("release_ms", "held"), [(0, 1), (5, 1), (20, 4), (200, 40)])
def test_a_released_key_is_held_exactly_as_long_as_told(release_ms: float, held: int) -> None:
    hops = run_key([0] * 3 + [1] * 3 + [0] * 50, release_ms)
    sent = [is_open for is_open, _ in hops[1:]]
    assert sent == [False] * 2 + [True] * (3 + held) + [False] * (50 - held)
    fading = hops[3 + 3 + held - 1][1]
    assert fading[0] > 0.49
    assert fading[-1] == 0.0


def test_what_is_said_before_the_key_is_pushed_is_silent() -> None:
    hops = run_key([0] * 3 + [1], 0.0)
    assert not np.any(hops[2][1])
    assert hops[3][1][0] < 0.01, "and the start fades in"
    assert hops[3][1][-1] == 0.5


def test_pressing_again_within_the_release_changes_nothing() -> None:
    hops = run_key([1] * 3 + [0] * 3 + [1] * 3, 20.0)
    assert all(np.array_equal(x, level()) for _, x in hops[1:])


def test_mute_fades_over_the_last_hop_that_is_sent() -> None:
    g, hops = fresh_gate(), []
    for audible in (True, True, False, False, True):
        x = level()
        hops.append((bool(gate.pass_on(g, x, audible, True)), x))
    assert [sent for sent, _ in hops] == [True, True, True, False, True]
    assert np.array_equal(hops[1][1], level())
    assert hops[2][1][-1] == 0.0
    assert np.max(np.abs(np.diff(hops[2][1]))) < 0.01
    assert not np.any(hops[3][1])
    assert hops[4][1][-1] == 0.5


def test_muting_in_silence_sends_nothing() -> None:
    g = fresh_gate()
    assert not any(gate.pass_on(g, level(), audible, False) for audible in (True, True, False))
