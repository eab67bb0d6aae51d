from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio.timeline import HOLD_NS, WAITING_MAX, Spoken, Timeline

MS = 1_000_000
BEGUN_NS = 5_000 * MS
PACKET = {5: b"\x68", 10: b"\x70", 20: b"\x78"}
PACKET[5] = b"\xe8"  # CELT: hybrid has no 5 ms


def spoken(
    counter: int, at_ms: float, *, epoch: int = 0, end: bool = False, ms: int = 10
) -> Spoken:
    """Return a packet that was here *at_ms* after the recording began; its text is its counter."""
    body = counter.to_bytes(4, "big")
    return Spoken(epoch, counter, BEGUN_NS + int(at_ms * MS), end, PACKET[ms] + body)


def places(*packets: Spoken) -> list[tuple[float, int]]:
    """Return where the packets come to lie, in ms, and their counters."""
    timeline = Timeline(BEGUN_NS)
    for packet in packets:
        timeline.push(packet)
    return [(at / 48, int.from_bytes(opus[1:], "big")) for at, opus in timeline.rest()]


def test_a_talkspurt_lies_without_a_gap_where_its_least_delayed_packet_says() -> None:
    late = [47.0, 61.0, 30.0, 52.0]
    packets = [spoken(n, 1_010 + 10 * n + late[n]) for n in range(4)]
    assert places(*packets) == [(1_030 + 10 * n, n) for n in range(4)]


def test_a_pause_between_talkspurts_is_as_long_as_it_was() -> None:
    packets = [spoken(0, 10), spoken(1, 20, end=True), spoken(2, 1_010), spoken(3, 1_020)]
    assert places(*packets) == [(0, 0), (10, 1), (1_000, 2), (1_010, 3)]


def test_a_short_pause_is_kept_where_the_end_was_told() -> None:
    packets = [spoken(0, 10, end=True), spoken(1, 160)]
    assert places(*packets) == [(0, 0), (150, 1)]


def test_packets_out_of_order_find_their_place_and_lost_ones_leave_a_gap() -> None:
    packets = [spoken(n, at) for n, at in ((0, 10), (2, 31), (1, 32), (5, 60))]
    assert places(*packets) == [(0, 0), (10, 1), (20, 2), (50, 5)]


def test_frames_may_change_their_length() -> None:
    packets = [spoken(0, 10), spoken(1, 30, ms=20), spoken(2, 50, ms=20), spoken(3, 55, ms=5)]
    assert places(*packets) == [(0, 0), (10, 1), (30, 2), (50, 3)]


def test_a_new_epoch_goes_on_with_counters_from_zero() -> None:
    packets = [spoken(70, 10), spoken(71, 20), spoken(0, 30, epoch=1), spoken(1, 40, epoch=1)]
    assert places(*packets) == [(0, 70), (10, 71), (20, 0), (30, 1)]


def test_a_new_group_may_use_the_numbers_of_the_last_one() -> None:
    old = [spoken(n, 10 + 10 * n) for n in range(3)]
    new = [spoken(n, 5_010 + 10 * n) for n in range(3)]
    assert [at for at, _ in places(*old, *new)] == [0, 10, 20, 5_000, 5_010, 5_020]


def test_a_talkspurt_whose_end_was_lost_does_not_pull_the_next_one_forward() -> None:
    assert places(spoken(0, 10), spoken(1, 2_010)) == [(0, 0), (2_000, 1)]


def test_a_counter_that_jumps_does_not_move_what_follows_into_the_future() -> None:
    assert places(spoken(0, 10), spoken(2**31, 20)) == [(0, 0), (10, 2**31)]


def test_what_came_twice_too_late_before_the_beginning_or_is_no_opus_is_counted() -> None:
    timeline = Timeline(BEGUN_NS)
    for packet in (spoken(3, -50, end=True), spoken(4, 30), spoken(4, 31)):
        timeline.push(packet)
    timeline.push(Spoken(0, 6, BEGUN_NS, end=False, opus=b""))
    assert len(timeline.rest()) == 1
    timeline.push(spoken(4, 400))
    timeline.push(spoken(2, 401))
    assert timeline.rest() == []
    assert timeline.dropped == 5


def test_packets_are_held_until_those_before_them_can_no_longer_come() -> None:
    timeline = Timeline(BEGUN_NS)
    timeline.push(spoken(1, 20))
    assert timeline.due(BEGUN_NS + 20 * MS + HOLD_NS - 1) == []
    timeline.push(spoken(0, 300))
    assert len(timeline.due(BEGUN_NS + 300 * MS + HOLD_NS)) == 2


def test_a_flood_is_bounded() -> None:
    timeline = Timeline(BEGUN_NS)
    for n in range(2 * WAITING_MAX):
        timeline.push(spoken(n, 10))
    assert len(timeline.rest()) == WAITING_MAX
    assert timeline.dropped == WAITING_MAX


@given(st.integers(0, 2**32), st.integers(0, 120), st.floats(0, 0.3))
def test_however_packets_arrive_they_lie_in_order_and_near_the_truth(
    seed: int, jitter_ms: int, loss: float
) -> None:
    random = Random(seed)
    packets, truth = list[Spoken](), dict[int, float]()
    at_ms = 100.0
    for counter in range(300):
        ms = random.choice([5, 10, 20]) if counter % 50 == 0 else 10
        end = random.random() < 0.02
        truth[counter] = at_ms
        at_ms += ms
        if random.random() >= loss:
            arrival_ms = at_ms + random.uniform(0, jitter_ms)
            packets.append(spoken(counter, arrival_ms, end=end, ms=ms))
        at_ms += random.uniform(100, 2_500) if end else 0
    packets.sort(key=lambda packet: packet.at_ns)
    timeline, found = Timeline(BEGUN_NS), list[tuple[int, bytes]]()
    for packet in packets:
        timeline.push(packet)
        found += timeline.due(packet.at_ns)
    found += timeline.rest()
    assert len(found) == len(packets)
    end_samples = 0
    for at, opus in found:
        counter = int.from_bytes(opus[1:], "big")
        assert at >= end_samples
        # The pause after a talkspurt whose end was lost may be swallowed up to 240 ms.
        assert -260 <= at / 48 - truth[counter] <= jitter_ms + 260
        end_samples = at + {0xE8: 240, 0x70: 480, 0x78: 960}[opus[0]]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 2**32 - 1),
            st.integers(-(10**12), 10**12),
            st.booleans(),
            st.binary(max_size=8),
        )
    )
)
def test_nonsense_is_placed_in_order_or_dropped(
    rows: list[tuple[int, int, int, bool, bytes]],
) -> None:
    timeline = Timeline(0)
    for epoch, counter, at_ns, end, opus in rows:
        timeline.push(Spoken(epoch, counter, at_ns, end, opus))
    found = timeline.rest()
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    assert all(0 <= at <= 10**12 * 48 // 10**6 + 12_000 * len(rows) for at, _ in found)
    assert len(found) + timeline.dropped == len(rows)
