"""A room that two units hold: who moves, when, and how often."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId, NodeId
from sidetone.voice_sfu.domain.splits import Splits

LOW, MIDDLE, HIGH = NodeId(1), NodeId(2), NodeId(3)
HALL, LOUNGE = ChannelId(uuid4()), ChannelId(uuid4())


def beat(node: NodeId, *rooms: ChannelId, draining: bool = False) -> NodeAlive:
    return NodeAlive(node, "host", 4_433, b"", [], 1, list(rooms), draining)


def test_the_higher_of_two_moves_the_room_they_share_once_it_is_certain() -> None:
    splits = Splits(MIDDLE)
    held = [HALL, LOUNGE]
    assert splits.hear(beat(LOW, HALL), held, 0) == []
    assert splits.hear(beat(LOW, HALL), held, 500) == [HALL]
    assert splits.hear(beat(LOW, HALL), held, 1_000) == []


def test_the_lower_of_two_keeps_the_room() -> None:
    splits = Splits(MIDDLE)
    for now_ms in range(0, 5_000, 500):
        assert splits.hear(beat(HIGH, HALL), [HALL], now_ms) == []


def test_a_unit_that_goes_away_gets_nobody() -> None:
    splits = Splits(MIDDLE)
    for now_ms in range(0, 5_000, 500):
        assert splits.hear(beat(LOW, HALL, draining=True), [HALL], now_ms) == []


def test_a_report_that_crosses_with_the_last_goodbye_moves_nobody() -> None:
    splits = Splits(MIDDLE)
    splits.hear(beat(LOW, HALL), [HALL], 0)
    splits.hear(beat(LOW), [HALL], 100)
    assert splits.hear(beat(LOW, HALL), [HALL], 600) == []


def test_who_comes_back_all_the_same_is_left_alone_for_a_while() -> None:
    splits = Splits(MIDDLE)
    moved = [
        now_ms for now_ms in range(0, 30_000, 500) if splits.hear(beat(LOW, HALL), [HALL], now_ms)
    ]
    assert moved == [500, 11_000, 21_500]


def test_each_of_three_moves_to_the_lowest_it_hears_of() -> None:
    splits = Splits(HIGH)
    for now_ms in (0, 500):
        moved = {node: splits.hear(beat(node, HALL), [HALL], now_ms) for node in (LOW, MIDDLE)}
    assert moved == {LOW: [HALL], MIDDLE: [HALL]}


@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.sets(st.sampled_from([HALL, LOUNGE])), st.booleans()),
        max_size=60,
    )
)
def test_of_two_units_that_hear_each_other_one_at_most_moves_a_room(
    beats: list[tuple[int, set[ChannelId], bool]],
) -> None:
    units = {node: Splits(NodeId(node)) for node in range(1, 6)}
    for step, (sender, rooms, draining) in enumerate(beats):
        told = beat(NodeId(sender), *rooms, draining=draining)
        for node, splits in units.items():
            moved = splits.hear(told, [HALL, LOUNGE], step * 250)
            assert not moved or (sender < node and set(moved) <= rooms and not draining)
