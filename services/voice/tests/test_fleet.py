"""Which units live, and which rooms they hold."""

import msgspec

from services.voice.tests.stage import node, room
from sidetone.protocol.ids import NodeId
from sidetone.voice.domain.fleet import HEALTHY_MS, NODES_MAX, Fleet, holder_of


def test_a_unit_lives_as_long_as_it_reports() -> None:
    fleet = Fleet()
    fleet.hear(node(1), now_ms=0)
    assert list(fleet.open_nodes(HEALTHY_MS - 1)) == [node(1)]
    assert list(fleet.open_nodes(HEALTHY_MS)) == []
    fleet.hear(node(1), now_ms=HEALTHY_MS)
    assert list(fleet.open_nodes(HEALTHY_MS + 1)) == [node(1)]


def test_the_last_report_counts() -> None:
    fleet = Fleet()
    fleet.hear(node(1, room(1)), now_ms=0)
    fleet.hear(node(1, room(2)), now_ms=1)
    assert holder_of(room(1), fleet.open_nodes(2)) is None
    assert holder_of(room(2), fleet.open_nodes(2)) == node(1, room(2))


def test_a_unit_at_the_address_of_another_is_its_successor() -> None:
    fleet = Fleet()
    old, new = node(1, room(1)), msgspec.structs.replace(node(2), port=node(1).port)
    fleet.hear(old, now_ms=0)
    fleet.hear(new, now_ms=1)
    assert list(fleet.open_nodes(2)) == [new]


def test_a_draining_unit_is_closed_even_for_the_rooms_it_holds() -> None:
    fleet = Fleet()
    fleet.hear(node(1, room(1), draining=True), now_ms=0)
    assert list(fleet.open_nodes(1)) == []


def test_two_that_hold_one_room_are_the_same_choice_for_all() -> None:
    one, two = node(1, room(7)), node(2, room(7))
    assert holder_of(room(7), [one, two]) == holder_of(room(7), [two, one]) == one


def test_a_heartbeat_that_no_ticket_could_carry_is_not_heard() -> None:
    fleet = Fleet()
    for number in (-1, 1 << 63):
        fleet.hear(node(number), now_ms=0)
    assert list(fleet.open_nodes(0)) == []


def test_the_unit_that_was_silent_longest_is_forgotten_first() -> None:
    fleet = Fleet()
    for number in range(NODES_MAX):
        fleet.hear(node(number), now_ms=number)
    fleet.hear(node(0), now_ms=NODES_MAX)
    fleet.hear(node(NODES_MAX), now_ms=NODES_MAX)
    numbers = {one.node for one in fleet.open_nodes(NODES_MAX)}
    assert len(numbers) == NODES_MAX
    assert {0, NODES_MAX} <= numbers
    assert 1 not in numbers


def test_a_lost_unit_is_closed_at_once_and_is_not_heard_again() -> None:
    fleet = Fleet()
    fleet.hear(node(1, room(1)), now_ms=0)
    fleet.hear(node(2), now_ms=0)
    fleet.lose(node(1).node)
    assert list(fleet.open_nodes(0)) == [node(2)]
    fleet.hear(node(1, room(1)), now_ms=1)
    assert list(fleet.open_nodes(1)) == [node(2)]


def test_a_late_word_of_a_lost_unit_does_not_cost_its_successor_the_port() -> None:
    fleet = Fleet()
    new = msgspec.structs.replace(node(2), port=node(1).port)
    fleet.hear(node(1), now_ms=0)
    fleet.lose(node(1).node)
    fleet.hear(new, now_ms=1)
    fleet.hear(node(1), now_ms=2)
    assert list(fleet.open_nodes(2)) == [new]


def test_no_more_lost_units_are_remembered_than_living_ones() -> None:
    fleet = Fleet()
    for number in range(NODES_MAX + 1):
        fleet.lose(node(number).node)
    fleet.hear(node(0), now_ms=0)
    fleet.hear(node(1), now_ms=0)
    assert list(fleet.open_nodes(0)) == [node(0)]


def test_after_silence_no_unit_is_handed_out_before_all_could_report() -> None:
    fleet = Fleet(settle_ms=600)
    fleet.hear(node(1), now_ms=0)
    assert list(fleet.open_nodes(599)) == []
    fleet.hear(node(2, room(1)), now_ms=400)
    assert list(fleet.open_nodes(600)) == [node(1), node(2, room(1))]
    # The death of the only unit is no silence: its successor takes calls at once.
    fleet.lose(NodeId(1))
    fleet.lose(NodeId(2))
    fleet.hear(node(3), now_ms=700)
    assert list(fleet.open_nodes(700)) == [node(3)]
    fleet.hear(node(3), now_ms=700 + HEALTHY_MS)
    assert list(fleet.open_nodes(700 + HEALTHY_MS)) == []
    assert list(fleet.open_nodes(700 + HEALTHY_MS + 600)) == [node(3)]
