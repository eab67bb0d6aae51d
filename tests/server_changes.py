"""A small server of five people, and any change of it, for properties."""

from uuid import UUID

from hypothesis import strategies as st

from sidetone.community import Community
from sidetone.permissions import EVERYONE, Permission
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
