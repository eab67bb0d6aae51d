"""What a call tells its owner: facts, frozen, in the past tense."""

from dataclasses import dataclass
from typing import TypeAlias

from sidetone.e2ee.trust import Shield
from sidetone.protocol.ids import DeviceId, Sender, UserId


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody else in the call's cryptographic roster; nobody outside it can hear.

    *sender* is the peer's place in the present room and changes when they join anew. *muted* and
    *deafened* are what the voice node says of them.
    """

    user: UserId
    device: DeviceId
    sender: Sender
    shield: Shield
    muted: bool = False
    deafened: bool = False


@dataclass(frozen=True, slots=True)
class PeerJoined:
    """Somebody entered the roster: they can hear from now on."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class PeerLeft:
    """Somebody is out of the roster: they can no longer hear."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class PeerStateChanged:
    """Somebody muted or deafened themselves, or can hear and be heard again."""

    peer: Peer


@dataclass(frozen=True, slots=True)
class EpochStarted:
    """New keys are in use; *code* is equal for all who hold the same."""

    epoch: int
    code: str


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """The bits of ``credentials.tickets.Perm`` that hold for us from now on."""

    rights: int


@dataclass(frozen=True, slots=True)
class SpeakerStarted:
    """A talkspurt of *user* began."""

    user: UserId


@dataclass(frozen=True, slots=True)
class SpeakerStopped:
    """A talkspurt of *user* ended."""

    user: UserId


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """*user* has another identity key than before: nothing is sent until ``confirm(user)``."""

    user: UserId


@dataclass(frozen=True, slots=True)
class ConsentAsked:
    """*user* wants to record the call: ``consent(agrees)`` answers, silence is a no."""

    user: UserId


@dataclass(frozen=True, slots=True)
class ConsentChanged:
    """*user* agrees to be recorded, or does not (any more)."""

    user: UserId
    agrees: bool


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """*user*, who may be ourselves, records the call from now on."""

    user: UserId


@dataclass(frozen=True, slots=True)
class RecordingStopped:
    """*user*, who may be ourselves, records no longer, or asks no more.

    *reason* is `stopped`, `paused` (somebody does not agree; it goes on when all do), `left`,
    `lost` (nothing was heard of them for seconds) or `failed` (of our own: the disk).
    """

    user: UserId
    reason: str


@dataclass(frozen=True, slots=True)
class SharedScreen:
    """What *user* shows: its size in pixels, and pictures a second at most."""

    user: UserId
    width: int
    height: int
    frames_per_second: int


@dataclass(frozen=True, slots=True)
class ScreenStarted:
    """Somebody else began to show a screen: ``call.watch(screen.user)`` gives the pictures."""

    screen: SharedScreen


@dataclass(frozen=True, slots=True)
class ScreenChanged:
    """A screen that is shown has another size or rate."""

    screen: SharedScreen


@dataclass(frozen=True, slots=True)
class ScreenStopped:
    """*user* shows no screen any more; views of it have ended."""

    user: UserId


@dataclass(frozen=True, slots=True)
class ShareEnded:
    """Our own screen is not shown any more; *reason* is one line, empty if we stopped it."""

    reason: str


@dataclass(frozen=True, slots=True)
class AudioFailed:
    """A microphone or speaker failed; the call goes on without it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection is gone (*reason*) and is being made anew."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The call goes on after ``Reconnecting``."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over for good; always the last event."""

    code: str
    detail: str


Event: TypeAlias = (
    PeerJoined
    | PeerLeft
    | PeerStateChanged
    | EpochStarted
    | RightsChanged
    | SpeakerStarted
    | SpeakerStopped
    | IdentityChanged
    | ConsentAsked
    | ConsentChanged
    | RecordingStarted
    | RecordingStopped
    | ScreenStarted
    | ScreenChanged
    | ScreenStopped
    | ShareEnded
    | AudioFailed
    | Reconnecting
    | Reconnected
    | CallEnded
)
