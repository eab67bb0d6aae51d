"""How much of a core a process used lately."""

from hypothesis import given
from hypothesis import strategies as st

from sidetone.voice_sfu.domain.load import Load


def test_a_steady_share_is_told_within_seconds_in_steps_of_five() -> None:
    load = Load()
    for half_seconds in range(41):
        load.note(half_seconds * 0.5 * 0.42, half_seconds * 0.5)
    assert load.percent == 40


def test_one_burst_moves_little_and_passes() -> None:
    load = Load()
    load.note(0.0, 0.0)
    load.note(0.5, 0.5)
    assert load.percent == 10
    for half_seconds in range(2, 40):
        load.note(0.5, half_seconds * 0.5)
    assert load.percent == 0


def test_several_busy_threads_are_more_than_one_core() -> None:
    load = Load()
    for seconds in range(60):
        load.note(seconds * 1.8, float(seconds))
    assert load.percent == 180


@given(st.lists(st.tuples(st.floats(0, 4), st.floats(0, 60)), max_size=50))
def test_it_never_leaves_what_was_used(steps: list[tuple[float, float]]) -> None:
    load, used, now = Load(), 0.0, 0.0
    load.note(used, now)
    for share, seconds in steps:
        used, now = used + share * seconds, now + seconds
        load.note(used, now)
        assert 0 <= load.percent <= 400
