"""Messages of the QUIC control stream, each a msgpack tagged struct after a 4-byte length.

The first bidirectional stream that the client opens carries them. Nothing here opens a frame: the
forwarding unit relays key packages and commits as opaque bytes.
"""

from typing import TypeAlias

import msgspec

from sidetone.protocol.ids import DeviceId, Sender, UserId

# Largest message in bytes, length prefix not counted. A commit for 150 joiners fits.
MESSAGE_BYTES_MAX = 64 * 1024
KEY_PACKAGES_PER_MESSAGE_MAX = 150

# --- client to server ---


class Join(msgspec.Struct, frozen=True, tag="join"):
    """The first message: the ticket that the voice service signed."""

    ticket: bytes


class KeyPackage(msgspec.Struct, frozen=True, tag="key_package"):
    """The joiner's key package, made with the sender index from ``Welcome``."""

    package: bytes


class Commit(msgspec.Struct, frozen=True, tag="commit"):
    """A VX1 commit. Up: with every wrap. Down: with the receiver's own wrap only."""

    wire: bytes


class CommitFailed(msgspec.Struct, frozen=True, tag="commit_failed"):
    """The commit that started *epoch* cannot be processed; two such reports demote its author."""

    epoch: int


class Resync(msgspec.Struct, frozen=True, tag="resync"):
    """Take me out and in again, with this new key package: I lost the group state."""

    package: bytes


class Renew(msgspec.Struct, frozen=True, tag="renew"):
    """A new key package with a fresh leaf and a renewed grant, for the same sender."""

    package: bytes


class State(msgspec.Struct, frozen=True, tag="state"):
    """What the member does with its own sound."""

    muted: bool
    deafened: bool


class Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    """Whose media of these *kinds* are wanted from now on, in place of all wanted before.

    Video, kind 1, is the only kind that is chosen; audio and data come unasked. ``layers`` holds
    for each of *senders* the highest spatial layer wanted, 0 to 3.
    """

    senders: list[Sender]
    kinds: list[int]
    layers: list[int]


class KeyframeRequest(msgspec.Struct, frozen=True, tag="keyframe_request"):
    """The member cannot go on decoding this layer of *sender* and needs a keyframe."""

    sender: Sender
    layer: int


class Stats(msgspec.Struct, frozen=True, tag="stats"):
    """What the member received since its last report, for metrics; counts of frames."""

    received: int
    lost: int
    jitter_ms: float


class Ping(msgspec.Struct, frozen=True, tag="ping"):
    """Asks for a ``Pong`` with the same number."""

    number: int


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """Goodbye: the room need not wait for the idle timeout."""


ClientMessage: TypeAlias = (
    Join
    | KeyPackage
    | Commit
    | CommitFailed
    | Resync
    | Renew
    | State
    | Subscribe
    | KeyframeRequest
    | Stats
    | Ping
    | Leave
)

# --- server to client ---


class Peer(msgspec.Struct, frozen=True):
    """A member of the room as the forwarding unit sees it; not yet a member of the group."""

    sender: Sender
    user: UserId
    device: DeviceId
    muted: bool = False
    deafened: bool = False


class Limits(msgspec.Struct, frozen=True):
    """What the room allows each connection; video only with the permission, 0 is none."""

    packets_per_second: int
    bits_per_second: int
    frame_bytes_max: int
    video_frames_per_second: int = 0
    video_bits_per_second: int = 0
    video_frame_bytes_max: int = 0


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    """The join is accepted. *group* and *epoch* are None where no group exists yet.

    ``roster`` are the senders of the cryptographic roster, in order; their key packages follow.
    """

    sender: Sender
    permissions: int
    peers: list[Peer]
    group: bytes | None
    epoch: int | None
    roster: list[Sender]
    limits: Limits


class PeerJoined(msgspec.Struct, frozen=True, tag="peer_joined"):
    """Somebody is in the room."""

    peer: Peer


class PeerLeft(msgspec.Struct, frozen=True, tag="peer_left"):
    """Somebody is gone."""

    sender: Sender


class PeerState(msgspec.Struct, frozen=True, tag="peer_state"):
    """Somebody muted or deafened themselves, or can be heard again."""

    sender: Sender
    muted: bool
    deafened: bool


class SenderPackage(msgspec.Struct, frozen=True):
    """A key package and the sender index that the room bound it to."""

    sender: Sender
    package: bytes


class KeyPackages(msgspec.Struct, frozen=True, tag="key_packages"):
    """Key packages of the roster (to a joiner) or of joiners (to members)."""

    packages: list[SenderPackage]


class CommitRejected(msgspec.Struct, frozen=True, tag="commit_rejected"):
    """Another commit was first, or this one breaks a rule of the room; *code* says which."""

    epoch: int
    code: str


class Remove(msgspec.Struct, frozen=True, tag="remove"):
    """These senders are to be removed by the next rekey: the only licence for removes."""

    senders: list[Sender]


class GroupEnded(msgspec.Struct, frozen=True, tag="group_ended"):
    """No roster member is connected any more: those waiting make a new group with new leaves."""


class Rights(msgspec.Struct, frozen=True, tag="rights"):
    """The member's permission bits changed; the room enforces them already."""

    permissions: int


class Reception(msgspec.Struct, frozen=True, tag="reception"):
    """What the worst of your listeners loses, for the encoder: 0 to 30, unknown until told."""

    loss_percent: int


class KeyframeWanted(msgspec.Struct, frozen=True, tag="keyframe_wanted"):
    """Somebody waits for a keyframe of this spatial layer of your video; at most one a second."""

    layer: int


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Join again, for *reason*: this unit goes away, or another one has the room."""

    reason: str


class Error(msgspec.Struct, frozen=True, tag="error"):
    """The last message before the server closes the connection, or a refusal of one request."""

    code: str
    detail: str


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """Answers a ``Ping``."""

    number: int


ServerMessage: TypeAlias = (
    Welcome
    | PeerJoined
    | PeerLeft
    | PeerState
    | KeyPackages
    | Commit
    | CommitRejected
    | Remove
    | GroupEnded
    | Rights
    | Reception
    | KeyframeWanted
    | Move
    | Error
    | Pong
)
