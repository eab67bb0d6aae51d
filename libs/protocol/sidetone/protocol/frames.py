"""The gateway's frames: JSON text over one WebSocket, told apart by ``op``.

The server greets with ``hello``; the client answers ``identify`` or ``resume`` within five
seconds, and then ``heartbeat`` at the interval it was told.
"""

from enum import IntEnum
from typing import TypeAlias

import msgspec

from sidetone.protocol.accounts import User
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.events import ClientEvent
from sidetone.protocol.ids import SessionId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.servers import ServerState
from sidetone.protocol.social import Presence, Relationship


class CloseCode(IntEnum):
    """Why the gateway hangs up.

    After ``TOO_SLOW``, ``SILENT``, ``TRY_AGAIN`` and a close without a code the session can be
    resumed, after ``TOKEN_EXPIRED`` with a new token; after ``SESSION_LOST`` and ``RESTARTING``
    identify anew; after ``UNAUTHENTICATED`` get a new token first, and if it is refused as well,
    log in; after ``TOO_FAST`` wait. After the others the client is at fault, and asking again will
    not help. What breaks the WebSocket protocol itself is closed with a code of RFC 6455.
    """

    GOODBYE = 1000
    RESTARTING = 1012
    PROTOCOL_VIOLATION = 4000
    UNAUTHENTICATED = 4001
    SILENT = 4002
    TRY_AGAIN = 4003
    IDENTIFY_LATE = 4004
    TOO_SLOW = 4005
    TOO_FAST = 4006
    SESSION_LOST = 4007
    TOKEN_EXPIRED = 4008
    ORIGIN_REFUSED = 4009
    TOO_MANY_SESSIONS = 4010


# --- From the client ---


class Identify(msgspec.Struct, frozen=True, tag_field="op", tag="identify"):
    """Begin a session with an access token."""

    token: str


class Resume(msgspec.Struct, frozen=True, tag_field="op", tag="resume"):
    """Take a session up again after *sequence*, the last number that arrived."""

    token: str
    session: SessionId
    sequence: int


class Renew(msgspec.Struct, frozen=True, tag_field="op", tag="renew"):
    """Go on with a newer access token of the same login, before the old one expires."""

    token: str


class Heartbeat(msgspec.Struct, frozen=True, tag_field="op", tag="heartbeat"):
    """Still here, with everything up to *sequence*: the gateway may forget it."""

    sequence: int


ClientFrame: TypeAlias = Identify | Resume | Renew | Heartbeat

# --- From the server ---


class Hello(msgspec.Struct, frozen=True, tag_field="op", tag="hello"):
    """Welcome; send a heartbeat this often."""

    heartbeat_ms: int


class Ready(msgspec.Struct, frozen=True, tag_field="op", tag="ready"):
    """The session is open and this is everything, as of one moment; events follow from 1 on.

    *servers* holds what the user may see of each; *users* are the people in it, as far as they
    are friends or in conversations: others are asked for by id.
    """

    session: SessionId
    me: User
    servers: list[ServerState]
    users: list[User]
    relationships: list[Relationship]
    presences: list[Presence]
    read_states: list[ReadState]
    voice_states: list[VoiceState]
    calls: list[Call]


class Resumed(msgspec.Struct, frozen=True, tag_field="op", tag="resumed"):
    """The session goes on; what was missed follows."""


class Dispatch(msgspec.Struct, frozen=True, tag_field="op", tag="dispatch"):
    """An event, numbered without gaps within the session from 1 on."""

    sequence: int
    event: ClientEvent


class HeartbeatHeard(msgspec.Struct, frozen=True, tag_field="op", tag="heard"):
    """The answer to a heartbeat."""


ServerFrame: TypeAlias = Hello | Ready | Resumed | Dispatch | HeartbeatHeard
