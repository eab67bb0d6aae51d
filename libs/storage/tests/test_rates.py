from hypothesis import given
from hypothesis import strategies as st

from sidetone.storage.rates import WAIT_MS_MIN, attempt

counts = st.integers(1, 1_000)
periods_ms = st.integers(1, 86_400_000)
# From the start of a machine to the year 2096.
starts_ms = st.floats(0, 4e12)


@given(count=counts, period_ms=periods_ms, start_ms=starts_ms)
def test_a_burst_is_exactly_the_count(count: int, period_ms: int, start_ms: float) -> None:
    arrival_ms, wait_ms = 0.0, 0.0
    for _ in range(count):
        arrival_ms, wait_ms = attempt(arrival_ms, start_ms, count, period_ms)
        # Limits finer than a wait can be are let off by a few.
        if period_ms / count > 2 * WAIT_MS_MIN:
            assert wait_ms == 0
    if period_ms / count > 2 * WAIT_MS_MIN:
        assert 0 < attempt(arrival_ms, start_ms, count, period_ms)[1] <= period_ms / count + 1


@given(count=counts, period_ms=periods_ms, start_ms=starts_ms, data=st.data())
def test_who_waits_as_told_gets_in(
    count: int, period_ms: int, start_ms: float, data: st.DataObject
) -> None:
    arrival_ms, now_ms = 0.0, start_ms
    for _ in range(20):
        arrival_ms, wait_ms = attempt(arrival_ms, now_ms, count, period_ms)
        now_ms += wait_ms
        if wait_ms:
            arrival_ms, again_ms = attempt(arrival_ms, now_ms, count, period_ms)
            assert again_ms == 0
        now_ms += data.draw(st.floats(0, period_ms / 10))


@given(count=counts, period_ms=periods_ms, arrival_ms=starts_ms, now_ms=starts_ms)
def test_nobody_waits_longer_than_the_period(
    count: int, period_ms: int, arrival_ms: float, now_ms: float
) -> None:
    assert 0 <= attempt(arrival_ms, now_ms, count, period_ms)[1] <= period_ms + 1
