from hypothesis import given
from hypothesis import strategies as st

from sidetone.video.budget import Budget

FPS, RATE = 15, 1_000_000


def run(budget: Budget, seconds: float, size: int, *, changed: bool = True) -> tuple[int, int]:
    """Take pictures for a while, each of *size* bytes; returns how many were encoded, in bits."""
    now, frames, bits = 100.0, 0, 0
    end = now + seconds
    while (now := now + budget.wait_seconds(now)) < end:
        if budget.took(now, changed=changed, keyframe_wanted=False):
            budget.spent(size, now, keyframe=False)
            frames += 1
            bits += 8 * size
    return frames, bits


def test_small_frames_come_at_the_full_rate() -> None:
    frames, _ = run(Budget(FPS, RATE), 10, 1000)
    assert abs(frames - 150) <= 1


@given(st.integers(1_000, 200_000), st.integers(100_000, 4_000_000))
def test_no_frames_are_above_the_rate(size: int, rate: int) -> None:
    budget = Budget(FPS, rate)
    _, bits = run(budget, 20, size)
    assert bits <= rate * 20.25 + 2 * 8 * size


def test_a_still_screen_settles_and_then_costs_nothing() -> None:
    budget = Budget(FPS, RATE)
    run(budget, 1, 1000)
    frames, _ = run(budget, 10, 1000, changed=False)
    assert 0 < frames <= 15


def test_a_keyframe_of_a_still_screen_is_made_and_settles_again() -> None:
    budget = Budget(FPS, RATE)
    run(budget, 1, 1000)
    run(budget, 10, 1000, changed=False)
    assert not budget.took(120.0, changed=False, keyframe_wanted=False)
    assert budget.took(121.0, changed=False, keyframe_wanted=True)
    assert budget.took(122.0, changed=False, keyframe_wanted=False)


def test_a_large_keyframe_does_not_stop_the_pictures_for_long() -> None:
    budget = Budget(FPS, RATE)
    budget.took(100.0, changed=True, keyframe_wanted=True)
    budget.spent(1_000_000, 100.0, keyframe=True)
    assert budget.wait_seconds(100.0) <= 0.26
