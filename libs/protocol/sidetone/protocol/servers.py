"""Servers, their channels, roles and members: what chat keeps and everybody else follows.

A conversation between two, and one of a group, is a server too, of another *kind* and with one
channel: one way to be a member, to see, to write, to call.
"""

from typing import Literal, TypeAlias
from uuid import UUID

from sidetone.protocol.ids import (
    ChannelId,
    EmojiId,
    FileId,
    MessageId,
    RoleId,
    ServerId,
    UserId,
)
from sidetone.protocol.requests import Answer, Body

ServerKind: TypeAlias = Literal["community", "direct", "group"]
# One can write in all but a category, and talk in ``voice`` and ``direct``.
ChannelKind: TypeAlias = Literal["text", "voice", "category", "thread", "direct"]


class CreateServer(Body, frozen=True):
    """``POST /chat/servers``."""

    name: str


class Server(Answer, frozen=True):
    """A community with channels and members, or a conversation of a few."""

    id: ServerId
    name: str
    owner: UserId
    kind: ServerKind = "community"
    description: str = ""
    icon: FileId | None = None


class Role(Answer, frozen=True):
    """Permissions that members share. The role of everyone has the server's id and position 0."""

    id: RoleId
    name: str
    position: int
    permissions: int
    color: int | None = None
    hoisted: bool = False
    mentionable: bool = False


class Overwrite(Answer, frozen=True):
    """What a channel allows and denies to one role or one member, beside their roles."""

    subject: UUID
    kind: Literal["role", "member"]
    allow: int
    deny: int


class CreateChannel(Body, frozen=True):
    """``POST /chat/servers/{server}/channels``."""

    name: str
    kind: ChannelKind
    parent: ChannelId | None = None
    topic: str = ""


class Channel(Answer, frozen=True):
    """A place in a server to write or to talk.

    *parent* is the category, or for a thread the channel it hangs in; *origin* is the message that
    a thread began with. An archived thread is history: it is not in the server's state.
    """

    id: ChannelId
    server: ServerId
    name: str
    kind: ChannelKind
    position: int = 0
    parent: ChannelId | None = None
    topic: str = ""
    slow_mode_seconds: int = 0
    overwrites: list[Overwrite] = []
    origin: MessageId | None = None
    creator: UserId | None = None
    archived: bool = False


class Member(Answer, frozen=True):
    """Somebody in a server. *roles* are those beside everyone's."""

    user: UserId
    joined_at_ms: int
    nickname: str | None = None
    roles: list[RoleId] = []
    timeout_until_ms: int = 0
    muted: bool = False
    deafened: bool = False


class Emoji(Answer, frozen=True):
    """A picture of the server's own, written ``:name:``."""

    id: EmojiId
    name: str
    file: FileId
    animated: bool = False
    creator: UserId | None = None


class ServerState(Answer, frozen=True):
    """All that permissions and member lists follow from, at one *generation* of the server."""

    server: Server
    generation: int
    roles: list[Role]
    channels: list[Channel]
    members: list[Member]
    emoji: list[Emoji] = []


class CreateInvite(Body, frozen=True):
    """``POST /chat/servers/{server}/invites``."""

    uses_max: int | None = None
    lifetime_seconds: int | None = None


class Invite(Answer, frozen=True):
    """A code that lets its holder into a server."""

    code: str
    server: ServerId
    expires_at_ms: int | None
    uses_left: int | None


class SetOverwrite(Body, frozen=True):
    """``PUT /chat/channels/{channel}/overwrites/{everyone | role | user}``: permission bits."""

    allow: int
    deny: int
