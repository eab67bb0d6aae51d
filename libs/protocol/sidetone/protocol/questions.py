"""Questions that one service asks another. One class per question; its subject is its address.

Lists in questions are bounded by who asks: at most ``MANY_MAX`` entries.
"""

from typing import ClassVar, Generic, TypeVar
from uuid import UUID

import msgspec

from sidetone.protocol.accounts import Grant, User
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.files import File, FilePurpose, LinkPreview
from sidetone.protocol.ids import ChannelId, DeviceId, FileId, NodeId, ServerId, UserId
from sidetone.protocol.messages import Message, Persona, ReadState
from sidetone.protocol.servers import ServerState
from sidetone.protocol.social import Presence, Relationship

MANY_MAX = 500

A = TypeVar("A")


class Question(msgspec.Struct, Generic[A], frozen=True):
    """Something another service can answer with an ``A`` or with a ``Refusal``."""

    subject: ClassVar[str]
    answer_type: ClassVar[object]


# --- Chat answers ---


class ChannelRights(msgspec.Struct, frozen=True):
    """What a user may do in a channel: permission bits, and the generation they belong to."""

    permissions: int
    generation: int


class WhatMayUserDo(Question[ChannelRights], frozen=True):
    """What *user* may do in *channel*. ``NotFound`` hides unknown channels."""

    subject: ClassVar[str] = "chat.what_may_user_do"
    answer_type: ClassVar[object] = ChannelRights

    user: UserId
    channel: ChannelId


class ServersOf(Question[list[ServerId]], frozen=True):
    """The servers that *user* is a member of, conversations too."""

    subject: ClassVar[str] = "chat.servers_of"
    answer_type: ClassVar[object] = list[ServerId]

    user: UserId


class DescribeServer(Question[ServerState], frozen=True):
    """How *server* stands. The whole state, hidden channels too: not for clients as it is."""

    subject: ClassVar[str] = "chat.describe_server"
    answer_type: ClassVar[object] = ServerState

    server: ServerId


class DescribeChannel(Question[ServerState], frozen=True):
    """How the server of *channel* stands. For who knows a channel only."""

    subject: ClassVar[str] = "chat.describe_channel"
    answer_type: ClassVar[object] = ServerState

    channel: ChannelId


class ReadStatesOf(Question[list[ReadState]], frozen=True):
    """Where *user* has read, and what waits for them."""

    subject: ClassVar[str] = "chat.read_states_of"
    answer_type: ClassVar[object] = list[ReadState]

    user: UserId


class WriteMessage(Question[Message], frozen=True):
    """Write *text* in *channel* as the program that *author* is; the same *nonce* is the same.

    Whoever asks has found out that the program may. A *persona* is shown in the author's place.
    """

    subject: ClassVar[str] = "chat.write_message"
    answer_type: ClassVar[object] = Message

    server: ServerId
    channel: ChannelId
    author: UserId
    text: str
    nonce: str
    persona: Persona | None = None


class NoteDeed(Question[None], frozen=True):
    """Note in the audit log of *server* that *actor* is about to do *action* to *target*.

    *before* and *after* are fields as text; those that are the same are left out.
    """

    subject: ClassVar[str] = "chat.note_deed"
    answer_type: ClassVar[object] = None

    server: ServerId
    actor: UserId
    action: str
    target: UUID
    before: dict[str, str] = {}
    after: dict[str, str] = {}


# --- Auth answers ---


class IssuedGrant(msgspec.Struct, frozen=True):
    """A grant with the keys that verify it, the current one first."""

    grant: Grant
    keys: list[bytes]


class IssueGrant(Question[IssuedGrant], frozen=True):
    """Grant *device* of *user* a place in *channel*. Auth asks chat first."""

    subject: ClassVar[str] = "auth.issue_grant"
    answer_type: ClassVar[object] = IssuedGrant

    user: UserId
    device: DeviceId
    channel: ChannelId


class TokenKeys(Question[bytes], frozen=True):
    """Which keys verify access tokens. A JSON Web Key Set (RFC 7517)."""

    subject: ClassVar[str] = "auth.token_keys"
    answer_type: ClassVar[object] = bytes


class WhoAre(Question[list[User]], frozen=True):
    """Who *users* are. Those that do not exist are left out."""

    subject: ClassVar[str] = "auth.who_are"
    answer_type: ClassVar[object] = list[User]

    users: list[UserId]


# --- Presence answers ---


class People(msgspec.Struct, frozen=True):
    """What a session begins with: the user's relationships, and how they themselves are there."""

    relationships: list[Relationship]
    own: Presence


class PeopleOf(Question[People], frozen=True):
    """Who is what to *user*."""

    subject: ClassVar[str] = "presence.people_of"
    answer_type: ClassVar[object] = People

    user: UserId


class PresencesOf(Question[list[Presence]], frozen=True):
    """Which of *users* are there, as others see them. Those who are offline are left out."""

    subject: ClassVar[str] = "presence.presences_of"
    answer_type: ClassVar[object] = list[Presence]

    users: list[UserId]


class Contact(msgspec.Struct, frozen=True):
    """What stands between two users: *friends*, or *blocked* by either."""

    friends: bool
    blocked: bool


class MayContact(Question[dict[UserId, Contact]], frozen=True):
    """What stands between *user* and each of *others*."""

    subject: ClassVar[str] = "presence.may_contact"
    answer_type: ClassVar[object] = dict[UserId, Contact]

    user: UserId
    others: list[UserId]


# --- Media answers ---


class ClaimFiles(Question[list[File]], frozen=True):
    """Take *files* that *user* uploaded for *purpose* into use, in this order.

    Attachments belong to *channel* from now on: who sees it may read them. Claiming again for the
    same place changes nothing. ``NotFound`` where one is unknown or another's, ``Conflict`` where
    one is not checked yet or in use elsewhere.
    """

    subject: ClassVar[str] = "media.claim_files"
    answer_type: ClassVar[object] = list[File]

    user: UserId
    purpose: FilePurpose
    files: list[FileId]
    channel: ChannelId | None = None


class DropFiles(Question[None], frozen=True):
    """Forget *files*: what they belonged to is gone. Unknown ones are left out."""

    subject: ClassVar[str] = "media.drop_files"
    answer_type: ClassVar[object] = None

    files: list[FileId]


class PreviewLink(Question[LinkPreview | None], frozen=True):
    """What the page at *url* says of itself. None: nothing, or it may not be asked."""

    subject: ClassVar[str] = "media.preview_link"
    answer_type: ClassVar[object] = LinkPreview | None

    url: str
    channel: ChannelId


# --- Voice answers ---


class VoiceStatesIn(Question[list[VoiceState]], frozen=True):
    """Who is in the voice channels of *servers*."""

    subject: ClassVar[str] = "voice.voice_states_in"
    answer_type: ClassVar[object] = list[VoiceState]

    servers: list[ServerId]


class CallsOf(Question[list[Call]], frozen=True):
    """The open calls that ring *user*, or have them in."""

    subject: ClassVar[str] = "voice.calls_of"
    answer_type: ClassVar[object] = list[Call]

    user: UserId


class Briefing(msgspec.Struct, frozen=True):
    """What a forwarding unit must know before it lets anybody in.

    ``ticket_keys`` maps the ticket's ``kid`` to an Ed25519 public key; ``watermarks`` are the
    rights that changed while a ticket signed before could still be valid.
    """

    ticket_keys: dict[int, bytes]
    watermarks: list[VoiceRights]


class BriefNode(Question[Briefing], frozen=True):
    """Brief forwarding unit *node*, at start and after a lost bus."""

    subject: ClassVar[str] = "voice.brief_node"
    answer_type: ClassVar[object] = Briefing

    node: NodeId
