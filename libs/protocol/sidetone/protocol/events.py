"""What is announced: facts, which nobody may miss, and passing events, which one may.

A ``Fact`` is written to an outbox together with what it announces, travels by the journal and
reaches every follower in order, at least once; its id tells a repeat. An ``Event`` fans out on the
bus at most once: typing, presence, heartbeats. One class per kind; each carries the whole new
state of what it speaks of, so that hearing it twice does no harm.
"""

from typing import ClassVar, TypeAlias
from uuid import UUID

import msgspec

from sidetone.protocol.accounts import User
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.commands import CommandAnswered, CommandInvoked
from sidetone.protocol.ids import (
    ChannelId,
    DeviceId,
    FactId,
    LoginId,
    MessageId,
    NodeId,
    ServerId,
    SessionId,
    UserId,
)
from sidetone.protocol.messages import Message, ReadState
from sidetone.protocol.servers import Channel, Emoji, Member, Role, Server, ServerState
from sidetone.protocol.social import Presence, Relationship

# --- Servers ---


class ServerChanged(msgspec.Struct, frozen=True, tag="server.changed", omit_defaults=True):
    """What one change did to a server: the pieces as they are now, and the ids that are gone.

    *generation* is that of the server after the change, one above the one before: who has the
    state before has the state after, and who misses one asks for the whole.
    """

    server: ServerId
    generation: int
    now: Server | None = None
    roles: list[Role] = []
    channels: list[Channel] = []
    members: list[Member] = []
    emoji: list[Emoji] = []
    gone: list[UUID] = []
    deleted: bool = False


class ServerOpened(msgspec.Struct, frozen=True, tag="server.opened"):
    """The gateway tells a user: you are in this server, and this is what you may see of it."""

    state: ServerState


class ServerClosed(msgspec.Struct, frozen=True, tag="server.closed"):
    """The gateway tells a user: you are in this server no more, or it is no more."""

    server: ServerId


class RightsChanged(msgspec.Struct, frozen=True, tag="rights.changed"):
    """Chat tells services what users may do in a voice channel from *generation* on; zero: none.

    Only those whose rights changed are in it.
    """

    channel: ChannelId
    generation: int
    permissions: dict[UserId, int]


# --- Messages ---


class MessageSent(msgspec.Struct, frozen=True, tag="message.sent"):
    """Somebody wrote *message*."""

    message: Message


class MessageEdited(msgspec.Struct, frozen=True, tag="message.edited"):
    """What *message* says now, with its pins and previews."""

    message: Message


class MessagesDeleted(msgspec.Struct, frozen=True, tag="message.deleted"):
    """The *messages* are no more."""

    channel: ChannelId
    messages: list[MessageId]


class ReactionChanged(msgspec.Struct, frozen=True, tag="reaction.changed"):
    """*user* put *emoji* to a message, or took it away; *count* now have."""

    channel: ChannelId
    message: MessageId
    user: UserId
    emoji: str
    added: bool
    count: int


class ReadMarked(msgspec.Struct, frozen=True, tag="read.marked"):
    """A user read on, on whichever device: told to all of theirs."""

    state: ReadState


class TypingStarted(msgspec.Struct, frozen=True, tag="typing.started"):
    """*user* is writing; holds for eight seconds unless a message comes first."""

    channel: ChannelId
    user: UserId


# --- People ---


class UserChanged(msgspec.Struct, frozen=True, tag="user.changed"):
    """Who *user* is now."""

    user: User


class AccountClosed(msgspec.Struct, frozen=True, tag="account.closed"):
    """The account is no more: every service forgets what is the user's own."""

    user: UserId


class LoginEnded(msgspec.Struct, frozen=True, tag="login.ended"):
    """The login is over before its tokens are: its sockets and calls end now."""

    user: UserId
    login: LoginId


class RelationshipChanged(msgspec.Struct, frozen=True, tag="relationship.changed"):
    """What another user is now to the one who is told."""

    relationship: Relationship


class RelationshipEnded(msgspec.Struct, frozen=True, tag="relationship.ended"):
    """There is nothing between the two any more."""

    user: UserId


class PresenceChanged(msgspec.Struct, frozen=True, tag="presence.changed"):
    """How a user is there now."""

    presence: Presence


# --- Calls ---


class VoiceStateChanged(msgspec.Struct, frozen=True, tag="voice.changed"):
    """Where *user* is in *channel* now; None: they left it."""

    channel: ChannelId
    user: UserId
    state: VoiceState | None


class CallChanged(msgspec.Struct, frozen=True, tag="call.changed"):
    """How a call stands now: it rings, goes on or is over."""

    call: Call


class MoveRequested(msgspec.Struct, frozen=True, tag="voice.move"):
    """A moderator moves the user who is told: leave *source* and join *target* now."""

    source: ChannelId
    target: ChannelId
    by: UserId


# What a client can be told; only tags that stand here travel to clients.
ClientEvent: TypeAlias = (
    ServerChanged
    | ServerOpened
    | ServerClosed
    | MessageSent
    | MessageEdited
    | MessagesDeleted
    | ReactionChanged
    | ReadMarked
    | TypingStarted
    | UserChanged
    | AccountClosed
    | RelationshipChanged
    | RelationshipEnded
    | PresenceChanged
    | VoiceStateChanged
    | CallChanged
    | MoveRequested
    | CommandInvoked
    | CommandAnswered
)
ServiceEvent: TypeAlias = RightsChanged | LoginEnded

# --- Who is told ---


class InServer(msgspec.Struct, frozen=True, tag="server"):
    """All members of *server*."""

    server: ServerId


class InChannel(msgspec.Struct, frozen=True, tag="channel"):
    """All members of *server* who may see *channel*."""

    server: ServerId
    channel: ChannelId


class ToUsers(msgspec.Struct, frozen=True, tag="users"):
    """These users, on all their devices."""

    users: list[UserId]


class Around(msgspec.Struct, frozen=True, tag="around"):
    """*user*, their *friends*, and everybody who shares a server with them."""

    user: UserId
    friends: list[UserId] = []


class Services(msgspec.Struct, frozen=True, tag="services"):
    """No client: this is between services."""


Audience: TypeAlias = InServer | InChannel | ToUsers | Around | Services


class Origin(msgspec.Struct, frozen=True, omit_defaults=True):
    """What set something off: the id of the request, and its trace (W3C Trace Context)."""

    request: str = ""
    traceparent: str = ""


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened and was stored, and who is to be told."""

    id: FactId
    audience: Audience
    event: ClientEvent | ServiceEvent
    origin: Origin = Origin()


# --- Passing events ---


class Signal(msgspec.Struct, frozen=True, tag="signal"):
    """Something that is true for a moment, and who is to be told; it is not kept."""

    subject: ClassVar[str] = "signals"

    audience: Audience
    event: ClientEvent


class SessionOpened(msgspec.Struct, frozen=True, tag="session.opened"):
    """The gateway has a session of *user*, new or resumed."""

    subject: ClassVar[str] = "gateway.session_opened"

    session: SessionId
    user: UserId


class SessionClosed(msgspec.Struct, frozen=True, tag="session.closed"):
    """The session's socket is gone; *left*: the client said goodbye and will not resume."""

    subject: ClassVar[str] = "gateway.session_closed"

    session: SessionId
    user: UserId
    left: bool


class SessionsAlive(msgspec.Struct, frozen=True, tag="sessions.alive"):
    """Every five seconds the gateway names the sessions with a live socket, in parts."""

    subject: ClassVar[str] = "gateway.sessions_alive"

    sessions: list[tuple[SessionId, UserId]]


class VoiceRights(msgspec.Struct, frozen=True, tag="voice.rights"):
    """Voice tells the forwarding units: tickets of *user* below *generation* are void.

    ``perms`` are the ticket's bits (see ``credentials.tickets``); without CONNECT a live
    connection is closed, other changes are applied to it.
    """

    subject: ClassVar[str] = "voice.rights"

    channel: ChannelId
    user: UserId
    perms: int
    generation: int


class MemberPutOut(msgspec.Struct, frozen=True, tag="voice.put_out"):
    """Voice tells the forwarding units: take *user* out of the room, or one device of theirs.

    With a new ticket they may join again.
    """

    subject: ClassVar[str] = "voice.put_out"

    channel: ChannelId
    user: UserId
    device: DeviceId | None = None


class NodeAlive(msgspec.Struct, frozen=True, tag="node.alive"):
    """A forwarding unit's heartbeat: where it is, how to know it, what it holds.

    ``rooms`` are the channels it holds: a unit that reports a room wins over the hash, so that
    losing the placement store splits no call. A draining unit gets no new rooms. Its load is
    ``connections``, and ``cpu_percent`` of one core.
    """

    subject: ClassVar[str] = "voice.node_alive"

    node: NodeId
    host: str
    port: int
    spki_sha256: bytes
    certificate_sha256: list[bytes]
    connections: int
    rooms: list[ChannelId]
    draining: bool
    cpu_percent: int = 0


class NodeLost(msgspec.Struct, frozen=True, tag="node.lost"):
    """Who started a forwarding unit tells that it died: whoever asks now is sent elsewhere."""

    subject: ClassVar[str] = "voice.node_lost"

    node: NodeId


class RoomChanged(msgspec.Struct, frozen=True, tag="room.changed"):
    """A forwarding unit tells who is in a room now; empty: the room is over.

    Sent at each join and leave, and again with the heartbeat, so that a lost one is repaired.
    """

    subject: ClassVar[str] = "voice.room_changed"

    node: NodeId
    channel: ChannelId
    members: list["RoomMember"]


class RoomMember(msgspec.Struct, frozen=True):
    """Somebody's connection to a room, and what they say of their own microphone and ears."""

    user: UserId
    device: UUID
    muted: bool
    deafened: bool


Event: TypeAlias = (
    Signal
    | SessionOpened
    | SessionClosed
    | SessionsAlive
    | VoiceRights
    | MemberPutOut
    | NodeAlive
    | NodeLost
    | RoomChanged
)
