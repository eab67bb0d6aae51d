"""Buckets, floods and half-open handshakes, with time as a number."""

from hypothesis import given
from hypothesis import strategies as st

from sidetone.voice_sfu.domain.handshakes import HalfOpen, HandshakeLimits, prefix
from sidetone.voice_sfu.domain.limits import (
    ControlAllowance,
    Flood,
    MediaAllowance,
    Rates,
    TokenBucket,
    Verdict,
)


@given(st.lists(st.floats(0, 0.5), max_size=300))
def test_a_bucket_never_lets_more_through_than_rate_and_burst(gaps: list[float]) -> None:
    bucket, now, passed = TokenBucket(rate=20, burst=5), 100.0, 0
    for gap in gaps:
        now += gap
        passed += bucket.take(1, now)
    assert passed <= 5 + 20 * (now - 100.0) + 1e-6


def test_a_voice_at_its_usual_rate_passes() -> None:
    allowance = MediaAllowance(Rates())
    verdicts = {allowance.take(200, 10 + number / 200) for number in range(6_000)}
    assert verdicts == {Verdict.PASS}


def test_what_is_above_the_rate_is_dropped_and_the_rest_passes() -> None:
    allowance = MediaAllowance(Rates(packets_per_second=100))
    verdicts = [allowance.take(50, 10 + number / 200) for number in range(2_000)]
    assert verdicts.count(Verdict.CLOSE) == 0
    assert 1_000 <= verdicts.count(Verdict.PASS) <= 1_100


def test_bits_are_limited_as_well_as_packets() -> None:
    allowance = MediaAllowance(Rates(bits_per_second=80_000))
    verdicts = [allowance.take(1_000, 10 + number / 50) for number in range(500)]
    assert verdicts.count(Verdict.CLOSE) == 0
    assert 100 <= verdicts.count(Verdict.PASS) <= 110


def _flood_for(seconds: float, per_second: int) -> list[Verdict]:
    allowance = MediaAllowance(Rates())
    count = int(seconds * per_second)
    return [allowance.take(30, 10 + number / per_second) for number in range(count)]


def test_ten_times_the_rate_for_five_seconds_is_the_end() -> None:
    assert Verdict.CLOSE not in _flood_for(4.9, 2_500)
    assert Verdict.CLOSE in _flood_for(5.1, 2_600)
    assert Verdict.CLOSE not in _flood_for(20, 2_400)


def test_a_pause_begins_a_flood_anew() -> None:
    flood = Flood(10)
    for second in (1, 2, 3, 4, 6, 7, 8, 9):
        verdicts = [flood.arrived(1, second + number / 20) for number in range(12)]
        assert Verdict.CLOSE not in verdicts
    assert Verdict.CLOSE in [flood.arrived(1, 10 + number / 20) for number in range(12)]


def test_what_is_excused_is_not_counted() -> None:
    flood = Flood(10)
    assert flood.arrived(9, 1.0) is Verdict.PASS
    flood.excuse(5)
    assert flood.arrived(5, 1.1) is Verdict.PASS
    assert flood.arrived(1, 1.2) is Verdict.DROP


def test_a_busy_committer_may_talk_and_a_talker_without_end_may_not() -> None:
    allowance = ControlAllowance()
    assert all(
        allowance.take_message(1 + n / 10) and allowance.take_bytes(5_000, 1 + n / 10)
        for n in range(600)
    )
    assert not all(allowance.take_message(100.0) for _ in range(100))
    assert not all(allowance.take_bytes(60_000, 100.0) for _ in range(10))


def test_neighbours_share_a_limit_and_strangers_do_not() -> None:
    half_open = HalfOpen(HandshakeLimits(in_all=100, per_prefix=3))
    for last in (1, 2, 3):
        assert not half_open.must_prove_address("192.0.2.9")
        half_open.opened(f"192.0.2.{last}")
    assert half_open.must_prove_address("192.0.2.9")
    assert half_open.must_prove_address("::ffff:192.0.2.9")
    assert not half_open.must_prove_address("192.0.3.9")
    half_open.closed("192.0.2.2")
    assert not half_open.must_prove_address("192.0.2.9")


def test_above_the_limit_in_all_everybody_proves_their_address() -> None:
    half_open = HalfOpen(HandshakeLimits(in_all=5, per_prefix=3))
    for number in range(5):
        half_open.opened(f"2001:db8:{number}::1")
    assert half_open.must_prove_address("198.51.100.1")
    for number in range(5):
        half_open.closed(f"2001:db8:{number}::1")
    assert not half_open.must_prove_address("198.51.100.1")
    assert not half_open._by_prefix


def test_a_link_local_address_with_a_scope_has_a_neighbourhood() -> None:
    assert prefix("fe80::1%eth0") == prefix("fe80::2%eth0")
