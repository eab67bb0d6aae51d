"""What is written in channels."""

from typing import Literal, TypeAlias

import msgspec

from sidetone.protocol.calls import Call
from sidetone.protocol.files import File, LinkPreview
from sidetone.protocol.ids import ChannelId, FileId, MessageId, RoleId, ServerId, UserId
from sidetone.protocol.requests import Answer, Body

# ``text`` is what somebody wrote; the others are written by the server for everybody to see.
MessageKind: TypeAlias = Literal[
    "text", "member_joined", "message_pinned", "thread_opened", "call"
]


class Reaction(Answer, frozen=True):
    """How many answered with one emoji: a character, or the id of a server's own.

    *mine* is for whoever asked; in what everybody hears it is False.
    """

    emoji: str
    count: int
    mine: bool = False


class Persona(Answer, frozen=True):
    """Whom a message that a program wrote is shown as."""

    name: str
    avatar: FileId | None = None


class Message(Answer, frozen=True):
    """One message; what it mentions was found by the server when it was written.

    It was sent at the time in its id. *thread* is the one that hangs at it; *call* is the one that
    a message of kind ``call`` tells of. With a *persona* the author is a webhook, or somebody from
    whom it was imported, and no user.
    """

    id: MessageId
    server: ServerId
    channel: ChannelId
    author: UserId
    text: str
    kind: MessageKind = "text"
    edited_at_ms: int | None = None
    reply_to: MessageId | None = None
    mentions: list[UserId] = []
    mentioned_roles: list[RoleId] = []
    mentions_everyone: bool = False
    attachments: list[File] = []
    previews: list[LinkPreview] = []
    reactions: list[Reaction] = []
    pinned: bool = False
    thread: ChannelId | None = None
    nonce: str | None = None
    call: Call | None = None
    persona: Persona | None = None


class SendMessage(Body, frozen=True):
    """``POST /chat/channels/{channel}/messages``.

    The same *nonce* of the same author in the same channel is the same message: who lost the
    answer asks again and gets it.
    """

    text: str = ""
    nonce: str | None = None
    reply_to: MessageId | None = None
    attachments: list[FileId] = []


class EditMessage(Body, frozen=True):
    """``PATCH /chat/channels/{channel}/messages/{message}``."""

    text: str


class DeleteMessages(Body, frozen=True):
    """``POST /chat/channels/{channel}/messages/delete``: up to a hundred at once."""

    messages: list[MessageId]


class StartThread(Body, frozen=True):
    """``POST /chat/channels/{channel}/messages/{message}/thread``."""

    name: str


class ChangeThread(Body, frozen=True):
    """``PATCH /chat/threads/{thread}``: what is absent stays as it is."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    archived: bool | msgspec.UnsetType = msgspec.UNSET


class MarkRead(Body, frozen=True):
    """``PUT /chat/channels/{channel}/read``: read up to *message*.

    An earlier one than before changes nothing, unless *backwards*: to come back to it later.
    """

    message: MessageId
    backwards: bool = False


class ReadState(Answer, frozen=True):
    """How far a user has read in a channel, and what waits there for them.

    *unread* counts up to a hundred: that many or more. *mentions* are those among them that call
    the user, their roles, or everyone.
    """

    channel: ChannelId
    last_read: MessageId | None
    unread: int
    mentions: int
