"""Numbers, what has come and what is on its way: kernels against aioquic and plain sets."""

import numpy as np
from aioquic.buffer import Buffer, BufferReadError
from aioquic.quic.packet import decode_packet_number, pull_ack_frame, push_ack_frame
from aioquic.quic.rangeset import RangeSet
from hypothesis import given
from hypothesis import strategies as st

from sidetone.native import Record, records
from sidetone.quic import cids, connections, received, sent, wire
from sidetone.quic.connections import CONNECTION, ON, SENT_MAX, WINDOW_BITS
from sidetone.quic.wire import BROKEN
from tests.load.quic_shapes import varint

NUMBERS = st.one_of(
    st.integers(0, (1 << 62) - 1),
    st.sampled_from([(1 << bits) + by for bits in (6, 14, 30) for by in (-1, 0, 1)]),
)
NOW_NS = 1_000_000_000_000


def new_row() -> Record:
    """Return a row that nobody has used."""
    row = records(CONNECTION, 1)[0]
    connections.clear(row, 0)
    row.state = ON
    row.peer.ack_delay_shift = 3
    return row


# --- on the wire ---


@given(NUMBERS)
def test_a_number_is_written_as_aioquic_writes_it(number: int) -> None:
    buffer, out = Buffer(capacity=8), np.zeros(8, np.uint8)
    buffer.push_uint_var(number)
    put = wire.put_varint if number < 1 << 30 else wire.put_long_varint
    assert out[: put(out, 0, number)].tobytes() == buffer.data


@given(st.binary(max_size=12), st.integers(0, 12))
def test_a_number_is_read_as_aioquic_reads_it(data: bytes, at: int) -> None:
    found = wire.varint(np.frombuffer(data, np.uint8).copy(), at, len(data))
    buffer = Buffer(data=data)
    try:
        buffer.seek(min(at, len(data)))
        expected = (buffer.pull_uint_var(), buffer.tell())
    except BufferReadError:
        expected = (0, BROKEN)
    assert found == expected


@given(
    st.integers(1, 4),
    st.integers(0, (1 << 32) - 1),
    st.sampled_from([-1, 0, 1, None]),
    st.integers(0, (1 << 62) - 1),
)
def test_a_packet_number_is_restored_as_aioquic_does(
    length: int, shortened: int, from_half: int | None, expected: int
) -> None:
    if from_half is not None:
        shortened = expected + (1 << 8 * length - 1) + from_half
    shortened &= (1 << 8 * length) - 1
    found = wire.whole_number(shortened, length, expected)
    assert found == decode_packet_number(shortened, 8 * length, expected)


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 23), st.data())
def test_a_packet_number_is_sent_long_enough_for_who_has_missed_some(
    acked: int, unacked: int, data: st.DataObject
) -> None:
    """Whoever reads it expects a number between the acknowledged one and this one."""
    number = acked + unacked
    length = wire.number_length(number, acked)
    expected = data.draw(st.integers(acked + 1, number + 1)) if unacked else number
    shortened = number & (1 << 8 * length) - 1
    assert wire.whole_number(shortened, length, expected) == number


# --- what has come ---

STEPS = st.lists(
    st.one_of(st.integers(-140, 5), st.integers(1, 3), st.integers(60, 140)), max_size=120
)


@given(st.sampled_from([0, 5, 1 << 17, 1 << 40]), STEPS)
def test_what_has_come_is_known_and_what_is_old_counts_as_known(
    first: int, steps: list[int]
) -> None:
    row, came, largest = new_row(), set[int](), -1
    for step in steps:
        number = max(0, (first if largest < 0 else largest) + step)
        known = number in came or (0 <= number <= largest - WINDOW_BITS)
        assert received.seen(row, number) == known
        if not known:
            received.note(row, number, NOW_NS)
            came.add(number)
            largest = max(largest, number)
        assert row.received_largest == largest
        for back in (63, 64, 127, 128, 129):
            older = largest - back
            known = older in came or older <= largest - WINDOW_BITS
            assert older < 0 or received.seen(row, older) == known


@given(st.sampled_from([0, 5, 1 << 17, 1 << 40]), STEPS, st.integers(0, 10**10))
def test_an_acknowledgement_names_what_has_come_newest_first(
    first: int, steps: list[int], later_ns: int
) -> None:
    row, came = new_row(), {first}
    received.note(row, first, NOW_NS)
    for step in steps:
        number = max(0, max(came) + step)
        if not received.seen(row, number):
            received.note(row, number, NOW_NS)
            came.add(number)
    out = np.zeros(200, np.uint8)
    row.ack_since_ns = 1
    end = received.put_ack(row, out, 0, NOW_NS + later_ns)
    assert end <= received.ACK_BYTES_MAX
    assert row.ack_since_ns == 0
    buffer = Buffer(data=out[:end].tobytes())
    assert buffer.pull_uint_var() == 2
    ranges, delay = pull_ack_frame(buffer)
    assert buffer.eof()
    expected = RangeSet()
    for number in came:
        if number > max(came) - WINDOW_BITS:
            expected.add(number, number + 1)
    assert list(ranges) == list(expected)[-32:]
    assert delay <= later_ns // 8000 + 1


# --- what is on its way ---


@given(
    st.sampled_from([2, 3]),
    st.one_of(NUMBERS, st.sampled_from([(1 << 40) - 1, 1 << 40])),
    NUMBERS,
    st.integers(0, 3) | st.integers(0, 600) | NUMBERS,
    st.lists(st.integers(0, 40) | NUMBERS, max_size=30),
    st.integers(0, 40),
)
def test_an_acknowledgement_is_whole_if_aioquic_says_so_and_it_is_of_what_was_sent(
    kind: int, largest: int, delay: int, ranges: int, rest: list[int], cut: int
) -> None:
    row = new_row()
    row.next_number = 1 << 40
    whole = bytes([kind]) + b"".join(map(varint, (largest, delay, ranges, *rest)))
    data = whole[: max(1, len(whole) - cut)]
    found = sent.check_ack(row, np.frombuffer(data, np.uint8).copy(), 0, len(data))
    buffer = Buffer(data=data)
    buffer.pull_uint_var()
    try:
        pull_ack_frame(buffer)
        for _ in range(3 if kind == 3 else 0):
            buffer.pull_uint_var()
    except (BufferReadError, ValueError):
        assert found == BROKEN
        return
    believable = largest < row.next_number and ranges <= 512
    assert found == (buffer.tell() if believable else BROKEN)


class Sender:
    """Sends packets, with gaps where aioquic's own are, and keeps a plain account of them."""

    def __init__(self, first: int) -> None:
        self.row = new_row()
        self.row.next_number = self.row.unacked_from = first
        self.sizes: dict[int, int] = {}
        self.now_ns = NOW_NS

    def send(self, gap: int, size: int) -> None:
        number = int(self.row.next_number) + gap
        sent.note(self.row, number, size, self.now_ns)
        self.row.next_number = number + 1
        self.sizes[number] = size
        self.sizes = {n: s for n, s in self.sizes.items() if n > number - SENT_MAX}

    def hear(self, acked: list[int], delay: int) -> None:
        ranges = RangeSet()
        for number in acked:
            ranges.add(number, number + 1)
        buffer = Buffer(capacity=4000)
        buffer.push_uint_var(2)
        push_ack_frame(buffer, ranges, delay, 3000)
        data = np.frombuffer(buffer.data, np.uint8).copy()
        assert sent.check_ack(self.row, data, 0, data.size) == data.size
        assert sent.take_ack(self.row, data, 0, data.size, self.now_ns) == data.size

    def on_its_way(self) -> dict[int, int]:
        words = [int(word) for word in self.row.sent]
        sizes = [word >> 16 & 0xFFFF for word in words]
        assert self.row.in_flight == sum(sizes)
        return {
            number: size
            for number, size in self.sizes.items()
            if words[number % SENT_MAX] & 0xFFFF == number & 0xFFFF and sizes[number % SENT_MAX]
        }


@given(
    st.sampled_from([0, (1 << 16) - 20, (1 << 17) - 3, 1 << 40]),
    st.lists(st.tuples(st.integers(0, 3), st.integers(40, 1200), st.integers(0, 50)), max_size=80),
    st.data(),
)
def test_what_is_acknowledged_or_lost_is_not_on_its_way(
    first: int, packets: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    sender = Sender(first)
    for number, (gap, size, wait_ms) in enumerate(packets):
        sender.now_ns += wait_ms * 1_000_000
        sender.send(gap, size)
        if number % 7 or not sender.sizes:
            continue
        known = sorted(sender.sizes)
        acked = data.draw(st.lists(st.sampled_from(known), min_size=1, unique=True))
        before = sender.on_its_way()
        sender.hear(acked, data.draw(st.integers(0, 1 << 20) | NUMBERS))
        left = sender.on_its_way()
        largest = max(acked)
        assert not set(left) & set(acked)
        assert set(left) <= set(before)
        assert {n for n in before if n > largest} <= set(left)
        assert not [n for n in left if n <= int(sender.row.largest_acked) - 3]
        assert connections.WINDOW_MIN <= sender.row.window <= connections.WINDOW_MAX
        assert 0 <= sender.row.rtt_ns <= 80 * 50_000_000


def test_the_window_is_a_limit_and_silence_ends_it() -> None:
    sender = Sender(0)
    row = sender.row
    row.acked_ns = sender.now_ns
    while sent.may_send(row, 1000, sender.now_ns):
        sender.send(0, 1000)
    assert row.in_flight == connections.WINDOW_MIN
    sender.now_ns += 999_000_000
    assert not sent.may_send(row, 1000, sender.now_ns)
    sender.now_ns += 2_000_000
    assert sent.may_send(row, 1000, sender.now_ns)
    assert row.in_flight == 0


# --- connection ids ---


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0, 1, 2, 15, 16, 17, 1 << 63, (1 << 64) - 1])),
        max_size=200,
    )
)
def test_the_table_of_connection_ids_is_a_dictionary(steps: list[tuple[bool, int]]) -> None:
    keys, rows = np.zeros(8, np.uint64), np.full(8, -1, np.int32)
    model: dict[int, int] = {}
    for row, (adds, number) in enumerate(steps):
        key = np.uint64(number)
        if adds and number not in model:
            cids.add(keys, rows, key, row)
            model[number] = row
        elif not adds:
            cids.remove(keys, rows, key)
            model.pop(number, None)
        for each in (0, 1, 2, 15, 16, 17, 1 << 63, (1 << 64) - 1):
            place = cids.find(keys, rows, np.uint64(each))
            assert (int(rows[place]) if place >= 0 else None) == model.get(each)


def test_a_full_table_takes_no_more_and_finds_what_it_has() -> None:
    keys, rows = np.zeros(8, np.uint64), np.full(8, -1, np.int32)
    for number in range(9):
        cids.add(keys, rows, np.uint64(number), number)
    found = [cids.find(keys, rows, np.uint64(number)) for number in range(9)]
    assert sorted(found[:8]) == list(range(8))
    assert found[8] == -1
    for number in range(8):
        cids.remove(keys, rows, np.uint64(number))
    assert (rows < 0).all()
    cids.add(keys, rows, np.uint64(77), 3)
    assert rows[cids.find(keys, rows, np.uint64(77))] == 3
