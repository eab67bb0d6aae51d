"""When a worker that died is started again."""

from hypothesis import given
from hypothesis import strategies as st

from sidetone.voice_sfu.domain.restarts import (
    PAUSE_SECONDS_MAX,
    STABLE_SECONDS,
    Restart,
    Restarts,
)

lives = st.lists(st.floats(0, 2 * STABLE_SECONDS), min_size=1, max_size=60)


def test_the_first_death_is_made_good_at_once_and_told() -> None:
    assert Restarts().died(0.0) == Restart(0.0, told=True)


def test_who_keeps_dying_is_started_later_and_later_and_told_twice() -> None:
    restarts = Restarts()
    deaths = [restarts.died(0.1) for _ in range(200)]
    pauses = [death.pause_seconds for death in deaths]
    assert pauses[:5] == [0.0, 0.25, 0.5, 1.0, 2.0]
    assert pauses == sorted(pauses)
    assert pauses[-1] == PAUSE_SECONDS_MAX
    assert [death.told for death in deaths] == [True, True] + [False] * 198


def test_a_long_life_makes_the_next_death_a_first_one() -> None:
    restarts = Restarts()
    for _ in range(9):
        restarts.died(0.0)
    assert restarts.died(STABLE_SECONDS) == Restart(0.0, told=True)


@given(lives)
def test_four_restarts_in_a_row_are_never_made_at_once(lived: list[float]) -> None:
    restarts = Restarts()
    now, starts = 0.0, [0.0]
    for seconds in lived:
        now += seconds + restarts.died(seconds).pause_seconds
        starts.append(now)
    for first, fifth in zip(starts, starts[4:], strict=False):
        assert fifth - first >= 1.74
