"""Servers, their channels, roles and members: what chat keeps and everybody else follows.

A conversation between two, and one of a group, is a server too, of another *kind* and with one
channel: one way to be a member, to see, to write, to call.
"""

from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, UnsetType

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


# --- Servers as they are ---


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


class Invite(Answer, frozen=True):
    """A code that lets its holder into a server."""

    code: str
    server: ServerId
    expires_at_ms: int | None
    uses_left: int | None
    creator: UserId | None = None


class InvitePreview(Answer, frozen=True):
    """What an invite tells who is not in yet."""

    code: str
    server: Server
    members: int
    expires_at_ms: int | None


class Ban(Answer, frozen=True):
    """Somebody who may not come back."""

    user: UserId
    actor: UserId
    reason: str
    banned_at_ms: int


class AuditEntry(Answer, frozen=True):
    """Something that *actor* did; *before* and *after* hold the fields that differ, as text.

    *request* is the id that the answer to the request carried.
    """

    number: int
    at_ms: int
    actor: UserId
    action: str
    target: UUID | None
    before: dict[str, str]
    after: dict[str, str]
    reason: str
    request: str


class AuditCheck(Answer, frozen=True):
    """Whether the audit log is as it was written; the first entry that is not."""

    broken_at: int | None


class Report(Answer, frozen=True):
    """What a member told the moderators about another one; open until *resolved_by* is set."""

    id: UUID
    server: ServerId
    reporter: UserId
    target: UserId
    channel: ChannelId | None
    message: MessageId | None
    text: str
    reported_at_ms: int
    resolved_by: UserId | None = None
    resolution: str = ""


# --- Templates ---


class TemplateRole(Body, frozen=True):
    """A role of a template; the first one is everyone's, the last one stands highest."""

    name: str
    permissions: int
    color: int | None = None
    hoisted: bool = False
    mentionable: bool = False


class TemplateOverwrite(Body, frozen=True):
    """What a channel allows and denies to one of the template's roles, by its index."""

    role: int
    allow: int
    deny: int


class TemplateChannel(Body, frozen=True):
    """A channel of a template; *parent* is the index of a category that stands before it."""

    name: str
    kind: ChannelKind
    parent: int | None = None
    topic: str = ""
    slow_mode_seconds: int = 0
    overwrites: list[TemplateOverwrite] = []


class TemplateDocument(Body, frozen=True):
    """A server without its people: can be kept as a file, and imported anywhere."""

    description: str
    roles: list[TemplateRole]
    channels: list[TemplateChannel]


class Template(Answer, frozen=True):
    """A document under a code that can be handed round."""

    code: str
    name: str
    creator: UserId
    created_at_ms: int
    document: TemplateDocument


# --- What clients send ---


class CreateServer(Body, frozen=True):
    """``POST /chat/servers``: empty but for two channels, or like a *template* or a *document*."""

    name: str
    template: str | None = None
    document: TemplateDocument | None = None


class EditServer(Body, frozen=True):
    """``PATCH /chat/servers/{server}``."""

    name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    icon: FileId | UnsetType | None = UNSET


class TransferServer(Body, frozen=True):
    """``POST /chat/servers/{server}/transfer``."""

    user: UserId


class CreateRole(Body, frozen=True):
    """``POST /chat/servers/{server}/roles``: above everyone's, below all others."""

    name: str
    permissions: int = 0
    color: int | None = None
    hoisted: bool = False
    mentionable: bool = False


class EditRole(Body, frozen=True):
    """``PATCH /chat/servers/{server}/roles/{role}``."""

    name: str | UnsetType = UNSET
    permissions: int | UnsetType = UNSET
    color: int | UnsetType | None = UNSET
    hoisted: bool | UnsetType = UNSET
    mentionable: bool | UnsetType = UNSET


class OrderRoles(Body, frozen=True):
    """``PUT /chat/servers/{server}/roles/order``: all but everyone's, the lowest first."""

    roles: list[RoleId]


class CreateChannel(Body, frozen=True):
    """``POST /chat/servers/{server}/channels``: in a category it begins with its overwrites."""

    name: str
    kind: ChannelKind
    parent: ChannelId | None = None
    topic: str = ""


class EditChannel(Body, frozen=True):
    """``PATCH /chat/channels/{channel}``; *parent* moves it into a category, or out of it."""

    name: str | UnsetType = UNSET
    topic: str | UnsetType = UNSET
    slow_mode_seconds: int | UnsetType = UNSET
    parent: ChannelId | UnsetType | None = UNSET


class OrderChannels(Body, frozen=True):
    """``PUT /chat/servers/{server}/channels/order``: all that are no threads, from the top."""

    channels: list[ChannelId]


class SetOverwrite(Body, frozen=True):
    """``PUT /chat/channels/{channel}/overwrites/{everyone | role | user}``: permission bits."""

    allow: int
    deny: int


class EditMember(Body, frozen=True):
    """``PATCH /chat/servers/{server}/members/{user}``; a nickname of None is the account's name.

    A timeout ends at *timeout_until_ms*, now if that is past.
    """

    nickname: str | UnsetType | None = UNSET
    timeout_until_ms: int | UnsetType = UNSET
    muted: bool | UnsetType = UNSET
    deafened: bool | UnsetType = UNSET
    reason: str = ""


class BanMember(Body, frozen=True):
    """``PUT /chat/servers/{server}/bans/{user}``; deletes what they wrote in the last seconds."""

    reason: str = ""
    delete_messages_seconds: int = 0


class CreateInvite(Body, frozen=True):
    """``POST /chat/servers/{server}/invites``."""

    uses_max: int | None = None
    lifetime_seconds: int | None = None


class CreateEmoji(Body, frozen=True):
    """``POST /chat/servers/{server}/emoji``; *file* was uploaded for it."""

    name: str
    file: FileId


class EditEmoji(Body, frozen=True):
    """``PATCH /chat/servers/{server}/emoji/{emoji}``."""

    name: str


class CreateReport(Body, frozen=True):
    """``POST /chat/servers/{server}/reports``; the message, if it is about one."""

    user: UserId
    text: str
    channel: ChannelId | None = None
    message: MessageId | None = None


class ResolveReport(Body, frozen=True):
    """``POST /chat/servers/{server}/reports/{report}/resolve``."""

    resolution: str


class SaveTemplate(Body, frozen=True):
    """``POST /chat/servers/{server}/templates``."""

    name: str


class CreateConversation(Body, frozen=True):
    """``POST /chat/conversations``: one user, the one conversation of the two; more, a group."""

    users: list[UserId]
    name: str = ""


class EditConversation(Body, frozen=True):
    """``PATCH /chat/conversations/{server}``."""

    name: str
