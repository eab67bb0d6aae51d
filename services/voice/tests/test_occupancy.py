"""Who is in a room, against a slow account of what units told."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sidetone.protocol.events import RoomChanged, RoomMember
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, ServerId, UserId
from sidetone.voice.domain.occupancy import SILENT_MS, Occupancy, changes, states_of

SERVER = ServerId(UUID(int=1))
LOUNGE = ChannelId(UUID(int=2))
MEMBERS = st.builds(
    RoomMember,
    st.integers(1, 3).map(lambda number: UserId(UUID(int=number))),
    st.integers(11, 14).map(lambda number: UUID(int=number)),
    st.booleans(),
    st.booleans(),
)
ROOMS = st.lists(MEMBERS, max_size=4, unique_by=lambda member: member.device)
TOLD = st.lists(st.tuples(st.integers(1, 2), ROOMS, st.integers(0, 2_000)), max_size=12)


@given(TOLD)
def test_those_in_the_room_are_those_who_were_told_of_lately(
    told: list[tuple[int, list[RoomMember], int]],
) -> None:
    occupancy, now_ms = Occupancy(), 0
    last: dict[int, tuple[list[RoomMember], int]] = {}
    for unit, members, wait_ms in told:
        now_ms += wait_ms
        occupancy.end_silent(now_ms)
        before = occupancy.inside(LOUNGE)
        changed = occupancy.hear(RoomChanged(NodeId(unit), LOUNGE, members), now_ms)
        last[unit] = (members, now_ms)
        assert changed == (before != occupancy.inside(LOUNGE))
        expected = {
            member.device
            for members, heard_ms in last.values()
            if now_ms - heard_ms < SILENT_MS
            for member in members
        }
        assert set(occupancy.inside(LOUNGE)) == expected
    occupancy.end_silent(now_ms + SILENT_MS)
    assert occupancy.inside(LOUNGE) == {}


@given(ROOMS, ROOMS)
def test_what_is_told_leads_from_one_room_to_the_next(
    one: list[RoomMember], other: list[RoomMember]
) -> None:
    before = states_of(SERVER, LOUNGE, {DeviceId(each.device): each for each in one}, [], 5)
    after = states_of(SERVER, LOUNGE, {DeviceId(each.device): each for each in other}, before, 9)
    shown = {state.user: state for state in reversed(before)}
    for change in changes(LOUNGE, before, after):
        if change.state is None:
            del shown[change.user]
        else:
            shown[change.user] = change.state
    assert shown == {state.user: state for state in reversed(after)}
    assert changes(LOUNGE, after, after) == []


@given(ROOMS)
def test_who_stays_keeps_the_time_of_coming(members: list[RoomMember]) -> None:
    inside = {DeviceId(each.device): each for each in members}
    before = states_of(SERVER, LOUNGE, inside, [], 5)
    assert states_of(SERVER, LOUNGE, inside, before, 9) == before
