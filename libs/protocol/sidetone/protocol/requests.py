"""HTTP bodies that services and clients share.

Bytes travel as base64, times as milliseconds since the Unix epoch.
"""

from typing import Literal

import msgspec

from sidetone.protocol.ids import ChannelId, DeviceId, ServerId, UserId

ChannelKind = Literal["text", "voice"]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client sends: an unknown field is a mistake worth telling."""


class Answer(msgspec.Struct, frozen=True):
    """What a server sends: an unknown field is a newer server, and fine."""


# --- auth ---


class Register(Body, frozen=True):
    """``POST /auth/register``."""

    name: str
    password: str


class LogIn(Body, frozen=True):
    """``POST /auth/login``."""

    name: str
    password: str


class Refresh(Body, frozen=True):
    """``POST /auth/refresh`` and ``POST /auth/logout``."""

    refresh_token: str


class LoggedIn(Answer, frozen=True):
    """A login: the access token for requests, the refresh token for the next access token."""

    user: UserId
    name: str
    access_token: str
    refresh_token: str
    expires_at_ms: int


class User(Answer, frozen=True):
    """``GET /auth/users/{id}``: what everybody may know of a user."""

    id: UserId
    name: str


class RegisterDevice(Body, frozen=True):
    """``PUT /auth/devices/{device}``: keys of a device, certified by the user's identity key."""

    identity_key: bytes
    device_key: bytes
    created_at_ms: int
    certificate: bytes


class AskGrant(Body, frozen=True):
    """``POST /auth/grants``."""

    channel: ChannelId
    device: DeviceId


class Grant(Answer, frozen=True):
    """The auth service's word that this device may be in this channel until ``not_after_ms``.

    ``wire`` is the grant as VX1 defines it; clients check it and put it into their key package.
    """

    wire: bytes
    not_after_ms: int


class GrantKeys(Answer, frozen=True):
    """``GET /auth/grant-keys``: Ed25519 public keys that verify grants, current one first."""

    keys: list[bytes]


# --- chat ---


class CreateServer(Body, frozen=True):
    """``POST /chat/servers``."""

    name: str


class Server(Answer, frozen=True):
    """A community with channels and members."""

    id: ServerId
    name: str
    owner: UserId


class CreateChannel(Body, frozen=True):
    """``POST /chat/servers/{server}/channels``."""

    name: str
    kind: ChannelKind


class Channel(Answer, frozen=True):
    """A place in a server to write or to talk."""

    id: ChannelId
    server: ServerId
    name: str
    kind: ChannelKind


class Member(Answer, frozen=True):
    """``GET /chat/servers/{server}/members``."""

    user: UserId
    joined_at_ms: int


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
    """``PUT /chat/channels/{channel}/overwrites/{everyone | user}``: permission bits."""

    allow: int
    deny: int


# --- voice ---


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
