"""What members are told of a server's changes leaves each with exactly what they may see."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from sidetone.community import Community
from sidetone.gateway.domain.outlook import as_seen, outlooks
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ChannelId, RoleId, ServerId, UserId
from sidetone.protocol.servers import Channel, Member, Overwrite, Role, Server, ServerState

SERVER = ServerId(UUID(int=1))
OWNER, *OTHERS = USERS = [UserId(UUID(int=100 + number)) for number in range(5)]
ROLES = [RoleId(SERVER), *(RoleId(UUID(int=200 + number)) for number in range(3))]
CHANNELS = [ChannelId(UUID(int=300 + number)) for number in range(4)]
VIEW = int(Permission.VIEW_CHANNEL)

permissions = st.sampled_from([0, VIEW, int(EVERYONE), int(Permission.ADMINISTRATOR)])
roles = st.builds(Role, st.sampled_from(ROLES), st.just("r"), st.integers(0, 3), permissions)
overwrites = st.builds(
    lambda subject, bits: Overwrite(subject, "role" if subject in ROLES else "member", *bits),
    st.sampled_from([*ROLES, *USERS]),
    st.sampled_from([(VIEW, 0), (0, VIEW), (0, 0)]),
)
channels = st.builds(
    Channel,
    st.sampled_from(CHANNELS),
    st.just(SERVER),
    st.text(max_size=2),
    st.sampled_from(["text", "voice", "thread"]),
    parent=st.none() | st.sampled_from(CHANNELS),
    overwrites=st.lists(overwrites, max_size=3, unique_by=lambda one: one.subject),
)
members = st.builds(
    Member,
    st.sampled_from(USERS),
    st.just(0),
    roles=st.lists(st.sampled_from(ROLES[1:]), max_size=2, unique=True),
)
changes = st.builds(
    dict,
    roles=st.lists(roles, max_size=2, unique_by=lambda one: one.id),
    channels=st.lists(channels, max_size=3, unique_by=lambda one: one.id),
    members=st.lists(members, max_size=2, unique_by=lambda one: one.user),
    gone=st.lists(st.sampled_from([*ROLES[1:], *CHANNELS, *OTHERS]), max_size=2, unique=True),
    now=st.none() | st.builds(Server, st.just(SERVER), st.just("n"), st.sampled_from(USERS)),
)


def community() -> Community:
    everyone = Role(ROLES[0], "everyone", 0, int(EVERYONE))
    state = ServerState(
        Server(SERVER, "name", OWNER), 1, [everyone], [], [Member(user, 0) for user in USERS]
    )
    return Community(state)


def seen_by(town: Community, user: UserId) -> dict[UUID, Channel]:
    """Return what the slow way says: nobody groups, nobody remembers."""
    return {one.id: one for one in Community(town.state()).visible(user)}


@given(st.lists(changes, max_size=6))
def test_each_member_knows_what_they_may_see_and_never_hears_of_the_rest(
    steps: list[dict],
) -> None:
    town = community()
    known = {user: dict(seen_by(town, user)) for user in USERS}
    told = outlooks(town, USERS)
    for step in steps:
        change = ServerChanged(SERVER, town.generation + 1, **step)
        before = frozenset(town.channels)
        town.apply(change)
        now = outlooks(town, USERS)
        for user in list(known):
            if user not in now:
                del known[user]
                continue
            has = seen_by(town, user)
            if user not in told:
                known[user] = has
                continue
            seen = as_seen(change, town, told[user], now[user], before)
            hidden = before - told[user].union(has)
            assert {channel.id for channel in seen.channels} <= set(has)
            assert not hidden.intersection(seen.gone)
            for gone in seen.gone:
                known[user].pop(gone, None)
            known[user].update((channel.id, channel) for channel in seen.channels)
            assert known[user] == has
        known.update({user: seen_by(town, user) for user in now if user not in known})
        told = now


@given(st.lists(changes, max_size=4))
def test_members_of_the_same_roles_share_one_outlook(steps: list[dict]) -> None:
    town = community()
    for step in steps:
        town.apply(ServerChanged(SERVER, town.generation + 1, **step))
    found = outlooks(town, [*USERS, UserId(UUID(int=999))])
    assert set(found) == set(town.members)
    assert found == {user: frozenset(seen_by(town, user)) for user in town.members}
    assert len({id(outlook) for outlook in found.values()}) == len(set(found.values()))
