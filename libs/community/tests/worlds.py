"""Servers and changes of them, drawn at random from few ids so that they meet."""

from uuid import UUID

import msgspec
from hypothesis import strategies as st

from sidetone.permissions import Permission
from sidetone.protocol.events import ServerChanged
from sidetone.protocol.ids import ChannelId, EmojiId, FileId, RoleId, ServerId, UserId
from sidetone.protocol.servers import (
    Channel,
    ChannelKind,
    Emoji,
    Member,
    Overwrite,
    Role,
    Server,
    ServerKind,
    ServerState,
)

SERVER = ServerId(UUID(int=1))
ROLES = [RoleId(UUID(int=10 + number)) for number in range(4)]
CHANNELS = [ChannelId(UUID(int=20 + number)) for number in range(4)]
USERS = [UserId(UUID(int=30 + number)) for number in range(5)]
EMOJI = [EmojiId(UUID(int=40 + number)) for number in range(2)]
# What a channel is, it stays.
KINDS: dict[ChannelId, ChannelKind] = dict(
    zip(CHANNELS, ("voice", "text", "thread", "direct"), strict=True)
)
NOW_MS = 1_000

masks = st.sets(
    st.sampled_from(
        [
            Permission.VIEW_CHANNEL,
            Permission.SPEAK,
            Permission.CONNECT,
            Permission.SEND_MESSAGES,
            Permission.ADMINISTRATOR,
            Permission.MANAGE_ROLES,
        ]
    )
).map(lambda some: int(Permission(sum(some))))
kinds: st.SearchStrategy[ServerKind] = st.sampled_from(["community", "community", "group"])
servers = st.builds(Server, st.just(SERVER), st.just("tavern"), st.sampled_from(USERS[:2]), kinds)


def role(id_: UUID) -> st.SearchStrategy[Role]:
    return st.builds(Role, st.just(RoleId(id_)), st.just("role"), st.integers(1, 5), masks)


def overwrite(subject: UUID) -> st.SearchStrategy[Overwrite]:
    kind = "member" if subject in USERS else "role"
    return st.builds(Overwrite, st.just(subject), st.just(kind), masks, masks)


@st.composite
def channels(draw: st.DrawFn, id_: ChannelId) -> Channel:
    subjects = draw(st.sets(st.sampled_from([SERVER, *ROLES, *USERS]), max_size=4))
    return Channel(
        id_,
        SERVER,
        "place",
        KINDS[id_],
        parent=draw(st.sampled_from([None, *CHANNELS])),
        overwrites=[draw(overwrite(subject)) for subject in sorted(subjects)],
    )


def member(user: UserId) -> st.SearchStrategy[Member]:
    return st.builds(
        Member,
        st.just(user),
        st.just(0),
        roles=st.lists(st.sampled_from(ROLES), unique=True, max_size=3),
        timeout_until_ms=st.sampled_from([0, 0, NOW_MS + 1]),
        muted=st.booleans(),
    )


def emoji(id_: EmojiId) -> st.SearchStrategy[Emoji]:
    return st.just(Emoji(id_, "party", FileId(UUID(int=99))))


@st.composite
def states(draw: st.DrawFn) -> ServerState:
    everyone = msgspec.structs.replace(draw(role(SERVER)), position=0)
    return ServerState(
        draw(servers),
        7,
        [everyone, *[draw(role(id_)) for id_ in draw(some(ROLES))]],
        [draw(channels(id_)) for id_ in draw(some(CHANNELS))],
        [draw(member(id_)) for id_ in draw(some(USERS))],
        [draw(emoji(id_)) for id_ in draw(some(EMOJI))],
    )


@st.composite
def changes(draw: st.DrawFn, generation: int) -> ServerChanged:
    gone: list[UUID] = draw(some([*ROLES, *CHANNELS, *USERS, *EMOJI], most=3))
    return ServerChanged(
        SERVER,
        generation,
        now=draw(st.none() | servers),
        roles=[draw(role(id_)) for id_ in draw(some(ROLES, most=1)) if id_ not in gone],
        channels=[draw(channels(id_)) for id_ in draw(some(CHANNELS, most=1)) if id_ not in gone],
        members=[draw(member(id_)) for id_ in draw(some(USERS, most=1)) if id_ not in gone],
        emoji=[draw(emoji(id_)) for id_ in draw(some(EMOJI, most=1)) if id_ not in gone],
        gone=gone,
    )


def some(ids: list[UUID], most: int = 5) -> st.SearchStrategy[list[UUID]]:
    return st.lists(st.sampled_from(ids), unique=True, max_size=most)
