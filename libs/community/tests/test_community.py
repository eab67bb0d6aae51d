"""A server in memory, against one that is built anew for every answer."""

from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from libs.community.tests.worlds import CHANNELS, NOW_MS, SERVER, USERS, changes, states
from sidetone.community import OWNER_RANK, Community
from sidetone.permissions import ALL, IN_TIMEOUT, Overwrite, Permission, effective, merged
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ChannelId, RoleId, UserId
from sidetone.protocol.servers import Member, Role, Server, ServerState

CALLS = (
    Permission.CONNECT
    | Permission.SPEAK
    | Permission.VIDEO
    | Permission.PRIORITY_SPEAKER
    | Permission.MUTE_MEMBERS
    | Permission.DEAFEN_MEMBERS
    | Permission.MOVE_MEMBERS
)
SPEAKING = Permission.SPEAK | Permission.PRIORITY_SPEAKER


def slowly(state: ServerState, user: UserId, channel: ChannelId) -> Permission:
    """Return what *user* may do in *channel*, by looking everything up."""
    members = [each for each in state.members if each.user == user]
    places = [each for each in state.channels if each.id == channel]
    if not members or not places:
        return Permission.NONE
    (member,), (place,) = members, places
    parents = [each for each in state.channels if each.id == place.parent]
    ruled_by = parents[0] if place.kind == "thread" and parents else place
    held = [role for role in state.roles if role.id == SERVER or role.id in member.roles]
    levels = [
        merged(
            Overwrite(Permission(each.allow), Permission(each.deny))
            for each in ruled_by.overwrites
            if each.subject in subjects
        )
        for subjects in ({SERVER}, {role.id for role in held} - {SERVER}, {user})
    ]
    granted = effective(
        merged(Overwrite(role.permissions, 0) for role in held).allow,
        *levels,
        is_owner=state.server.kind == "community" and user == state.server.owner,
    )
    admin = Permission.ADMINISTRATOR in granted
    if place.kind not in {"voice", "direct"}:
        granted &= ~CALLS
    if member.muted:
        granted &= ~SPEAKING
    if member.timeout_until_ms > NOW_MS and not admin:
        granted &= IN_TIMEOUT
    return granted


def after(state: ServerState, change: ServerChanged) -> ServerState:
    """Return *state* after *change*, by putting the lists together again."""
    gone = set(change.gone)
    lost = gone & {role.id for role in state.roles}
    new_members = {member.user for member in change.members}
    kept = [
        msgspec.structs.replace(each, roles=[id_ for id_ in each.roles if id_ not in lost])
        for each in state.members
        if each.user not in gone | new_members
    ]
    roles = {each.id: each for each in [*state.roles, *change.roles]}
    channels = {each.id: each for each in [*state.channels, *change.channels]}
    emoji = {each.id: each for each in [*state.emoji, *change.emoji]}
    return ServerState(
        change.now or state.server,
        change.generation,
        [each for each in roles.values() if each.id not in gone],
        [each for each in channels.values() if each.id not in gone],
        [*kept, *(_without(each, lost) for each in change.members)],
        [each for each in emoji.values() if each.id not in gone],
    )


def _without(member: Member, roles: set[UUID]) -> Member:
    return msgspec.structs.replace(member, roles=[id_ for id_ in member.roles if id_ not in roles])


def same(one: ServerState, other: ServerState) -> bool:
    """Return whether both hold the same, in whatever order."""
    return _sorted(one) == _sorted(other)


def _sorted(state: ServerState) -> object:
    members = sorted(state.members, key=lambda each: each.user)
    pieces = [sorted(some, key=lambda each: each.id) for some in (state.roles, state.channels)]
    return state.server, state.generation, members, pieces, sorted(state.emoji, key=lambda e: e.id)


@given(states())
def test_every_decision_is_the_slow_one(state: ServerState) -> None:
    community = Community(state)
    for user in USERS:
        for channel in CHANNELS:
            expected = slowly(state, user, channel)
            assert community.permissions(user, channel, NOW_MS) == expected
            # Also when it is remembered.
            assert community.permissions(user, channel, NOW_MS) == expected
            assert community.sees(user, channel) == (Permission.VIEW_CHANNEL in expected)


@given(states(), st.data())
def test_after_any_changes_it_is_as_if_it_were_new(
    state: ServerState, data: st.DataObject
) -> None:
    community = Community(state)
    for step in range(1, 4):
        for user in USERS:
            for channel in CHANNELS:
                community.permissions(user, channel, NOW_MS)
        change = data.draw(changes(state.generation + 1), label=f"change {step}")
        twin = community.after(change)
        untouched = community.state()
        community.apply(change)
        state = after(state, change)
        assert same(community.state(), state)
        assert same(twin.state(), state)
        assert untouched.generation == state.generation - 1
        for user in USERS:
            for channel in CHANNELS:
                assert community.permissions(user, channel, NOW_MS) == slowly(state, user, channel)


@given(states(), st.data())
def test_what_was_applied_once_changes_nothing_again(
    state: ServerState, data: st.DataObject
) -> None:
    community = Community(state)
    change = data.draw(changes(state.generation + 1))
    older = data.draw(changes(state.generation))
    community.apply(change)
    once = community.state()
    community.apply(change)
    community.apply(older)
    assert community.state() == once


@given(states())
def test_a_view_holds_what_is_visible(state: ServerState) -> None:
    community = Community(state)
    for user in USERS:
        seen = {channel.id for channel in community.view(user).channels}
        assert seen == {
            channel.id
            for channel in state.channels
            if Permission.VIEW_CHANNEL in slowly(state, user, channel.id)
        }


@given(states())
def test_the_owner_of_a_community_stands_above_all(state: ServerState) -> None:
    community = Community(state)
    for user in USERS:
        owns = state.server.kind == "community" and user == state.server.owner
        assert (community.rank(user) == OWNER_RANK) == owns
        if not owns and user not in community.members:
            assert community.rank(user) == -1
    if state.server.kind == "community" and state.server.owner in community.members:
        assert community.standing(state.server.owner, NOW_MS) == ALL


def test_only_the_next_change_follows() -> None:
    owner = UserId(UUID(int=5))
    server = Server(SERVER, "tavern", owner)
    everyone = Role(RoleId(SERVER), "everyone", 0, 1)
    community = Community(ServerState(server, 3, [everyone], [], [Member(owner, 0)]))
    follows = [community.follows(ServerChanged(SERVER, number)) for number in (3, 4, 5)]
    assert follows == [False, True, False]
