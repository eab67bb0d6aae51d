from hypothesis import given
from hypothesis import strategies as st

from sidetone.client.screen_rate import BITS_PER_SECOND_MIN, PathUse, ScreenRate

MOST = 2_000_000


def follow(rate: ScreenRate, path: float, seconds: int, begin: float = 0.0) -> list[int]:
    """Send at the rate over a path that carries so many bits a second; returns the rates."""
    use, rates, now, free_at = PathUse(), [], begin, begin
    for _ in range(seconds * 15):
        now += 1 / 15
        size = rate.bits_per_second / 15 / 8
        sent_at = max(now, free_at)
        free_at = sent_at + 8 * size / path
        use.add(round(size), now, free_at)
        trouble = use.report(now)
        if trouble is not None:
            rate.trouble(trouble[1], now)
        rate.grow(now)
        rates.append(rate.bits_per_second)
    return rates


def test_a_path_with_room_keeps_the_full_rate() -> None:
    assert set(follow(ScreenRate(MOST), 10 * MOST, 30)) == {MOST}


def test_a_path_that_is_too_narrow_gets_what_it_carries() -> None:
    rates = follow(ScreenRate(MOST), 900_000, 40)
    assert max(rates[15 * 10 :]) < 1_100_000
    assert min(rates[15 * 10 :]) > 400_000


def test_the_rate_comes_back_when_the_path_does() -> None:
    rate = ScreenRate(MOST)
    follow(rate, 900_000, 20)
    assert rate.bits_per_second < 1_100_000
    follow(rate, 10 * MOST, 40, begin=100.0)
    assert rate.bits_per_second == MOST


@given(st.lists(st.tuples(st.integers(0, 10_000_000), st.floats(0, 5)), max_size=60))
def test_the_rate_stays_within_its_bounds(reports: list[tuple[int, float]]) -> None:
    rate, now = ScreenRate(MOST), 0.0
    for carried, pause in reports:
        now += pause
        before = rate.bits_per_second
        changed = rate.trouble(carried, now) or rate.grow(now)
        assert changed == (rate.bits_per_second != before)
        assert BITS_PER_SECOND_MIN <= rate.bits_per_second <= MOST
        assert rate.bits_per_second >= before // 2


def test_one_report_a_second_counts_however_many_viewers_there_are() -> None:
    rate = ScreenRate(MOST)
    for _ in range(50):
        rate.trouble(100_000, 10.0)
    assert rate.bits_per_second == MOST // 2


def test_a_path_says_nothing_while_it_has_room_and_all_when_a_frame_is_missing() -> None:
    use = PathUse()
    for at in range(3):
        use.add(10_000, at, at + 0.1)
        use.add(10_000, at + 0.05, at + 0.2)
        assert use.report(at + 0.5) is None
    use.missed()
    use.add(5_000, 3.0, 3.2)
    busy, carried = use.report(4.0) or (0, 0)
    assert 10 <= busy <= 40
    assert carried > 0
    assert use.report(5.5) is None
