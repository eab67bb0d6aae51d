"""Questions that one service asks another. One class per question; its subject is its address."""

from typing import ClassVar, Generic, TypeVar

import msgspec

from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.requests import Grant

A = TypeVar("A")


class Question(msgspec.Struct, Generic[A], frozen=True):
    """Something another service can answer with an ``A`` or with a ``Refusal``."""

    subject: ClassVar[str]
    answer_type: ClassVar[object]


class ChannelRights(msgspec.Struct, frozen=True):
    """What a user may do in a channel: permission bits, and the generation they belong to."""

    permissions: int
    generation: int


class WhatMayUserDo(Question[ChannelRights], frozen=True):
    """What may *user* do in *channel*? Answered by chat; ``NotFound`` hides unknown channels."""

    subject: ClassVar[str] = "chat.what_may_user_do"
    answer_type: ClassVar[object] = ChannelRights

    user: UserId
    channel: ChannelId


class IssuedGrant(msgspec.Struct, frozen=True):
    """A grant with the keys that verify it, the current one first."""

    grant: Grant
    keys: list[bytes]


class IssueGrant(Question[IssuedGrant], frozen=True):
    """Grant *device* of *user* a place in *channel*. Answered by auth, which asks chat first."""

    subject: ClassVar[str] = "auth.issue_grant"
    answer_type: ClassVar[object] = IssuedGrant

    user: UserId
    device: DeviceId
    channel: ChannelId


class TokenKeys(Question[bytes], frozen=True):
    """Which keys verify access tokens? Answered by auth, as a JSON Web Key Set (RFC 7517)."""

    subject: ClassVar[str] = "auth.token_keys"
    answer_type: ClassVar[object] = bytes


class Briefing(msgspec.Struct, frozen=True):
    """What a forwarding unit must know before it lets anybody in.

    ``ticket_keys`` maps the ticket's ``kid`` to an Ed25519 public key; ``watermarks`` are the
    rights that changed while a ticket signed before could still be valid.
    """

    ticket_keys: dict[int, bytes]
    watermarks: list[VoiceRights]


class BriefNode(Question[Briefing], frozen=True):
    """Brief forwarding unit *node*. Answered by voice, at start and after a lost bus."""

    subject: ClassVar[str] = "voice.brief_node"
    answer_type: ClassVar[object] = Briefing

    node: NodeId
