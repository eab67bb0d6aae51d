"""The rules of the domain once more in kernels: both must come to the same end."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sidetone.credentials.tickets import Perm
from sidetone.native import records
from sidetone.voice_sfu.domain.limits import FLOOD_FACTOR, Flood, MediaAllowance, Rates, Verdict
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.domain.room import Room
from sidetone.voice_sfu.infrastructure.fastpath import media, rates, routing
from sidetone.voice_sfu.infrastructure.fastpath.routing import REASONS
from sidetone.voice_sfu.infrastructure.fastpath.rows import ROW
from tests.load.quic_shapes import guarded
from tests.load.sfu_stage import CHANNEL, TALK
from tests.load.vx1_shapes import ticket

VERDICTS = {
    rates.PASS: Verdict.PASS,
    rates.DROP: Verdict.DROP,
    rates.CLOSE: Verdict.CLOSE,
}
# Of a second, so that neither side has to round.
SIXTY_FOURTH_NS = 15_625_000
BEGIN = 64_000
GAPS = st.one_of(st.just(0), st.just(0), st.integers(0, 3), st.integers(30, 200))


@given(
    st.sampled_from([(1, 1 << 20), (2, 800), (4, 1600), (1 << 20, 800)]),
    st.lists(st.tuples(GAPS, st.integers(0, 60)), min_size=1, max_size=60),
    st.integers(1, 40),
)
def test_a_frame_is_judged_as_the_allowance_does(
    limits: tuple[int, int], arrivals: list[tuple[int, int]], times: int
) -> None:
    allowed = Rates(*limits)
    allowance = MediaAllowance(allowed)
    row, shared, now = _row(allowed)
    for gap, length in arrivals:
        now += gap
        for _ in range(times):
            found = rates.take(row, shared, length, now * SIXTY_FOURTH_NS)
            assert VERDICTS[found] is allowance.take(length, now / 64)


@given(
    st.lists(st.tuples(GAPS, st.integers(0, 30), st.integers(0, 5)), min_size=1, max_size=80),
)
def test_a_packet_is_judged_as_a_flood_is(arrivals: list[tuple[int, int, int]]) -> None:
    allowed = Rates(packets_per_second=1)
    flood = Flood(allowed.packets_per_second * FLOOD_FACTOR)
    row, shared, now = _row(allowed)
    for gap, count, excused in arrivals:
        now += gap
        for _ in range(count):
            found = rates.arrived(row, shared, now * SIXTY_FOURTH_NS)
            assert VERDICTS[found] is flood.arrived(1, now / 64)
        for _ in range(excused if count else 0):
            rates.excuse(row)
            flood.excuse(1)


def _row(allowed: Rates):  # noqa: ANN202
    row = records(ROW, 1)[0]
    media.clear(row, 0)
    shared = records(rates.RATES, 1)[0]
    shared.packets, shared.bits = allowed.packets_per_second, allowed.bits_per_second
    row.packets, row.bits = shared.packets, shared.bits
    row.filled_ns = BEGIN * SIXTY_FOURTH_NS
    return row, shared, BEGIN


@given(
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 255, 256, 65535]),
    st.one_of(st.integers(0, 40), st.integers(990, 1100)),
    st.booleans(),
    st.booleans(),
)
def test_a_frame_is_refused_for_the_reason_that_the_room_gives(
    first: int, claimed: int, length: int, speaks: bool, muted: bool
) -> None:
    room = Room(CHANNEL, 10, Rates())
    sender, _ = room.join(ticket(perms=TALK if speaks else Perm.CONNECT), 0)
    room.set_state(sender, muted=muted, deafened=False)
    frame = (bytes([first, 0]) + claimed.to_bytes(2, "big") + bytes(1200))[:length]
    row = records(ROW, 1)[0]
    row.sender, row.speaks = sender, speaks and not muted
    data = guarded(length)
    data[:] = np.frombuffer(frame, np.uint8)
    found = routing._refusal(row, data, 0, length)
    expected = room.route(sender, frame)
    assert (REASONS[found] if found >= 0 else ()) == expected


def test_every_reason_has_its_number() -> None:
    assert len(REASONS) == len(Drop) <= 16
