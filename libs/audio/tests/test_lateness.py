import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio import lateness
from sidetone.audio.lateness import LATENESS, TARGET_MAX_MS, TARGET_MIN_MS
from sidetone.native import Record, records

CLEAN_MS = 2.0


def fresh() -> Record:
    made = records(LATENESS, 1)[0]
    lateness.reset(made)
    return made


@given(st.lists(st.floats(0, 1000), max_size=400), st.sampled_from([2.5, 5.0, 10.0, 20.0, 60.0]))
def test_the_target_is_always_10_to_80_ms(transits: list[float], frame_ms: float) -> None:
    late = fresh()
    for transit in transits:
        lateness.observe(late, transit)
        lateness.played(late, transit > 500)
        assert TARGET_MIN_MS <= frame_ms + lateness.wait_ms(late, frame_ms) <= TARGET_MAX_MS
        assert late.base_ms <= transit
        assert 0 <= late.loss <= 1


def test_on_a_clean_link_a_frame_waits_two_milliseconds() -> None:
    late = fresh()
    for n in range(1000):
        lateness.observe(late, 20 + n % 3 * 0.1)
    assert lateness.wait_ms(late, 10.0) == CLEAN_MS


def test_the_tail_is_the_95th_percentile_and_forgets() -> None:
    late, rng = fresh(), np.random.default_rng(3)
    lateness.restart(late, 0)
    for _ in range(3000):
        lateness.observe(late, float(rng.uniform(0, 40)))
    assert 34 <= late.tail_ms <= 40
    for _ in range(2000):
        lateness.observe(late, 0.0)
    assert late.tail_ms == 0.5


def test_a_bad_link_is_known_within_a_fifth_of_a_second() -> None:
    late = fresh()
    lateness.restart(late, 0)
    for n in range(20):
        lateness.observe(late, n % 2 * 30)
    assert late.tail_ms >= 30


def test_the_base_follows_a_clock_that_runs_away() -> None:
    late = fresh()
    lateness.restart(late, 0)
    for n in range(10_000):
        lateness.observe(late, n * 0.002)
    assert 20 - late.base_ms < 1
    assert late.tail_ms <= 1.5


def test_a_lossy_link_waits_for_the_copy_in_the_next_packet() -> None:
    late = fresh()
    for n in range(1000):
        lateness.played(late, n % 20 == 0)
    assert lateness.wait_ms(late, 10.0) == CLEAN_MS + 10
    assert lateness.wait_ms(late, 20.0) == CLEAN_MS + 20
    assert lateness.wait_ms(late, 5.0) == TARGET_MIN_MS - 5, "there is no copy in 5 ms"
    assert 0.04 < late.loss < 0.06
    for _ in range(3000):
        lateness.played(late, False)
    assert lateness.wait_ms(late, 10.0) == CLEAN_MS


def test_a_packet_that_comes_after_all_was_not_lost() -> None:
    late = fresh()
    for n in range(5000):
        lateness.played(late, n % 50 == 0)
        if n % 50 == 0:
            lateness.found(late)
    assert late.loss < 0.002
    assert not late.lossy
