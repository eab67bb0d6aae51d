"""Calls: the way in, who is in, and who is rung."""

from typing import Literal, TypeAlias

from sidetone.protocol.accounts import Grant
from sidetone.protocol.ids import CallId, ChannelId, DeviceId, ServerId, UserId
from sidetone.protocol.requests import Answer, Body

Outcome: TypeAlias = Literal["open", "ended", "missed", "declined", "cancelled"]
# Who is ``quiet`` does not want to be disturbed: they may take the call, and nothing rings.
CallAnswer: TypeAlias = Literal["ringing", "quiet", "joined", "declined", "missed"]


class JoinVoice(Body, frozen=True):
    """``POST /voice/channels/{channel}/join``."""

    device: DeviceId


class VoiceTicket(Answer, frozen=True):
    """Where the call lives and what opens the door.

    An empty ``host`` is the host that answered this request: a server on one machine need not know
    by which of its names it was reached.

    ``spki_sha256`` pins the forwarding unit's long-lived public key and is checked before the
    ticket is sent; ``certificate_sha256`` pins this and the next certificate, for browsers.
    """

    host: str
    port: int
    spki_sha256: bytes
    certificate_sha256: list[bytes]
    ticket: bytes
    grant: Grant
    grant_keys: list[bytes]


class VoiceState(Answer, frozen=True):
    """Somebody's place in a voice channel, as all who see the channel may know it."""

    user: UserId
    device: DeviceId
    server: ServerId
    channel: ChannelId
    muted: bool
    deafened: bool
    since_ms: int


class Call(Answer, frozen=True):
    """A call in a conversation of a few: who began it, who is rung, who was in it.

    While *outcome* is ``open`` it goes on; *ringing* are those who have not answered yet. A call
    that was answered lasted from *answered_at_ms* to *ended_at_ms*; any other one was ``missed``,
    ``declined`` or ``cancelled``.
    """

    id: CallId
    server: ServerId
    channel: ChannelId
    caller: UserId
    started_at_ms: int
    outcome: Outcome
    ringing: list[UserId] = []
    joined: list[UserId] = []
    ended_at_ms: int | None = None
    answered_at_ms: int | None = None


class CallRecord(Answer, frozen=True):
    """``GET /voice/calls``: a call, and what became of it for the one who asks."""

    call: Call
    answer: CallAnswer


class MoveMember(Body, frozen=True):
    """``POST /voice/channels/{channel}/members/{user}/move``."""

    target: ChannelId
