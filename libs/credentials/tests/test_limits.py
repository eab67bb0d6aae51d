"""The rate limiter against its definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.credentials.limits import Limit, Limiter
from sidetone.protocol.refusals import RateLimited


def allowed(limiter: Limiter, key: str, now_ms: int) -> bool:
    try:
        limiter.take(key, now_ms)
    except RateLimited:
        return False
    return True


@given(
    st.integers(1, 20),
    st.integers(1_000, 100_000),
    st.lists(st.integers(0, 5_000), max_size=200),
)
def test_no_period_sees_more_than_twice_the_count(
    count: int, period_ms: int, pauses: list[int]
) -> None:
    """A burst of the whole count, and the refill of one period: never more."""
    limiter, now_ms, taken = Limiter(Limit(count, period_ms)), 0, list[int]()
    for pause in pauses:
        now_ms += pause
        if allowed(limiter, "ada", now_ms):
            taken.append(now_ms)
    for start in taken:
        assert sum(start <= moment < start + period_ms for moment in taken) < 2 * count + 1


@given(st.integers(1, 20), st.integers(1_000, 100_000), st.integers(0, 10**13))
def test_a_burst_of_the_count_passes_and_then_who_waits_as_told_gets_in(
    count: int, period_ms: int, now_ms: int
) -> None:
    limiter = Limiter(Limit(count, period_ms))
    assert all(allowed(limiter, "ada", now_ms) for _ in range(count))
    with pytest.raises(RateLimited) as refusal:
        limiter.take("ada", now_ms)
    wait_ms = int(refusal.value.retry_after_seconds * 1000)
    assert 0 < wait_ms <= period_ms / count + 1_000
    assert allowed(limiter, "ada", now_ms + wait_ms)


def test_keys_do_not_share_a_limit() -> None:
    limiter = Limiter(Limit(1, 60_000))
    assert allowed(limiter, "ada", 0)
    assert allowed(limiter, "ben", 0)
    assert not allowed(limiter, "ada", 0)


def test_a_full_memory_forgets_who_was_quiet_longest() -> None:
    limiter = Limiter(Limit(1, 60_000), keys_max=2)
    for number, key in enumerate(("ada", "ben", "cyd")):
        assert allowed(limiter, key, number)
    assert not allowed(limiter, "cyd", 3)
    assert not allowed(limiter, "ben", 3)
    assert allowed(limiter, "ada", 3)


def test_a_clock_that_steps_back_locks_nobody_out() -> None:
    limiter = Limiter(Limit(2, 60_000))
    assert allowed(limiter, "ada", 10_000_000)
    with pytest.raises(RateLimited) as refusal:
        limiter.take("ada", 0)
    assert refusal.value.retry_after_seconds == 30
    assert allowed(limiter, "ada", 30_000)
