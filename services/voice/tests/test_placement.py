"""Which unit gets a call."""

from collections import Counter
from collections.abc import Iterable
from random import Random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.voice.tests.stage import node, room
from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId, NodeId
from sidetone.voice.domain.placement import choose, weight

nodes = st.builds(
    node,
    st.integers(0, 2**63 - 1),
    connections=st.integers(0, 5_000),
    draining=st.booleans(),
    cpu_percent=st.integers(0, 400),
)
fleets = st.lists(nodes, max_size=12, unique_by=lambda one: one.node)
rooms = st.integers(0, 2**128 - 1).map(room)


@given(rooms, fleets)
def test_a_draining_unit_gets_nothing(place: ChannelId, fleet: list[NodeAlive]) -> None:
    chosen = choose(place, fleet)
    takers = [one for one in fleet if not one.draining]
    assert chosen in takers if takers else chosen is None


@given(rooms, fleets, st.randoms())
def test_the_order_in_which_units_are_known_does_not_matter(
    place: ChannelId, fleet: list[NodeAlive], random: Random
) -> None:
    shuffled = list(fleet)
    random.shuffle(shuffled)
    assert choose(place, shuffled) == choose(place, fleet)


@given(st.lists(rooms, min_size=1, max_size=40), fleets.filter(bool), st.data())
def test_a_unit_that_goes_moves_only_its_own_rooms(
    places: list[ChannelId], fleet: list[NodeAlive], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(fleet))
    rest = [one for one in fleet if one is not gone]
    for place in places:
        before = choose(place, fleet)
        if before is not gone:
            assert choose(place, rest) == before


@given(st.lists(rooms, min_size=1, max_size=40), fleets, nodes)
def test_a_unit_that_comes_takes_rooms_only_for_itself(
    places: list[ChannelId], fleet: list[NodeAlive], new: NodeAlive
) -> None:
    fleet = [one for one in fleet if one.node != new.node]
    for place in places:
        after = choose(place, [*fleet, new])
        assert after is new or after == choose(place, fleet)


def test_equal_units_share_evenly_and_a_busy_one_gets_half() -> None:
    fleet = [node(1), node(2), node(3, connections=100)]
    chosen = [choose(room(number), fleet) for number in range(10_000)]
    shares = Counter(one.node for one in chosen if one is not None)
    assert 3_700 < shares[1] < 4_300
    assert 3_700 < shares[2] < 4_300
    assert 1_800 < shares[3] < 2_200


@given(st.lists(rooms, min_size=1, max_size=40), fleets.filter(bool), st.data())
def test_load_never_brings_a_unit_a_room(
    places: list[ChannelId], fleet: list[NodeAlive], data: st.DataObject
) -> None:
    before = data.draw(st.sampled_from(fleet))
    after = msgspec.structs.replace(
        before,
        connections=before.connections + data.draw(st.integers(0, 5_000)),
        cpu_percent=before.cpu_percent + data.draw(st.integers(0, 400)),
    )
    changed = [after if one is before else one for one in fleet]
    assert weight(after) <= weight(before)
    for place in places:
        had, has = choose(place, fleet), choose(place, changed)
        assert has == had or had is before


@given(st.tuples(*[st.integers(0, 2**63 - 1)] * 2).filter(lambda ids: ids[0] != ids[1]))
def test_two_idle_workers_share_twenty_rooms(ids: tuple[int, int]) -> None:
    fleet = [node(number) for number in ids]
    shares = [
        Counter(_chosen(fleet, range(first, first + 20)))[NodeId(ids[0])]
        for first in range(0, 2_000, 20)
    ]
    assert 9 < sum(shares) / len(shares) < 11
    # As if a coin were thrown for each room: hardly ever more than three quarters on one side.
    assert sum(5 <= share <= 15 for share in shares) > 90


def test_a_worker_without_time_gets_fewer_rooms_and_one_without_any_gets_some() -> None:
    half, none = (
        Counter(_chosen([node(1), node(2, cpu_percent=percent)], range(10_000)))[NodeId(2)]
        for percent in (50, 300)
    )
    assert 3_100 < half < 3_560
    assert 380 < none < 580


def _chosen(fleet: list[NodeAlive], numbers: Iterable[int]) -> list[NodeId]:
    chosen = [choose(room(number), fleet) for number in numbers]
    return [one.node for one in chosen if one is not None]
