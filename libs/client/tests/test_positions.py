import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.audio.space import Listener
from sidetone.client.positions import FORGET_MS, Positions
from sidetone.e2ee.data import pack_position, parse_position
from sidetone.e2ee.rejected import Rejected

BEN = 1
EAST = pack_position(1, 0, 0)
WEST = pack_position(-1, 0, 0)


@pytest.fixture
def positions() -> Positions:
    made = Positions()
    made.on = True
    return made


def test_a_moving_player_says_so_twenty_times_a_second_a_standing_one_once(
    positions: Positions,
) -> None:
    sent = 0
    for now_ms in range(2_000):
        positions.set_own((float(now_ms), 0, 0))
        sent += positions.outgoing(now_ms) is not None
    assert sent == 40
    assert [positions.outgoing(now) is not None for now in range(2_000, 5_000)].count(True) == 3
    positions.set_own(None)
    assert positions.outgoing(9_000) is None


def test_nothing_is_sent_and_nobody_has_a_place_before_it_is_switched_on() -> None:
    positions = Positions()
    positions.set_own((1, 2, 3))
    assert positions.outgoing(0) is None
    assert positions.received(BEN, (0, 0), EAST, 0)
    assert positions.ears(BEN) == (1, 1)
    positions.on = True
    left, right = positions.ears(BEN)
    assert right > left
    sent = positions.outgoing(0)
    assert sent is not None
    assert parse_position(sent) == (1, 2, 3)


def test_a_voice_moves_with_its_speaker_and_with_the_listener(positions: Positions) -> None:
    assert positions.ears(BEN) == (1, 1), "not heard of yet"
    positions.received(BEN, (0, 0), EAST, 0)
    left, right = positions.ears(BEN)
    assert right > left
    positions.received(BEN, (0, 1), WEST, 100)
    assert positions.ears(BEN) == pytest.approx((right, left))
    positions.listener = Listener((-2, 0, 0))
    assert positions.ears(BEN) == pytest.approx((left, right))


def test_a_position_that_comes_late_does_not_undo_a_newer_one(positions: Positions) -> None:
    assert positions.received(BEN, (0, 5), EAST, 0)
    assert not positions.received(BEN, (0, 4), WEST, 100)
    assert positions.received(BEN, (1, 0), WEST, 200)


def test_a_flood_of_positions_is_taken_at_twenty_a_second(positions: Positions) -> None:
    taken = sum(positions.received(BEN, (0, n), EAST if n % 2 else WEST, n) for n in range(10_000))
    assert taken <= 210


def test_who_no_longer_tells_their_place_or_left_has_none(positions: Positions) -> None:
    positions.received(BEN, (0, 0), EAST, 0)
    positions.received(2, (0, 0), EAST, 1_000)
    assert positions.forget_silent(FORGET_MS) == [BEN]
    assert positions.ears(BEN) == (1, 1)
    assert positions.ears(2) != (1, 1)
    positions.forget(2)
    assert positions.ears(2) == (1, 1)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e30])
def test_numbers_that_are_none_are_refused(positions: Positions, number: float) -> None:
    with pytest.raises(Rejected, match="data_malformed"):
        positions.received(BEN, (0, 0), pack_position(0, number, 0), 0)
    with pytest.raises(ValueError, match="a position is three numbers up to 1e\\+09"):
        positions.set_own((0, number, 0))


@given(st.binary(max_size=20), st.tuples(*[st.floats()] * 3))
def test_garbage_is_refused_or_heard(garbage: bytes, place: tuple[float, float, float]) -> None:
    positions = Positions()
    positions.on = True
    try:
        positions.received(BEN, (0, 0), garbage, 0)
        positions.received(BEN, (0, 1), struct.pack(">B3f", 2, *place), 50)
    except (Rejected, OverflowError):
        return
    assert all(0 <= gain < 1.5 for gain in positions.ears(BEN))
