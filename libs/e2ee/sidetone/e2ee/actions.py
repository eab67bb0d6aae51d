"""What a member wants done: messages for the room, news for the client, in order."""

from dataclasses import dataclass
from typing import TypeAlias

from sidetone.e2ee.media import Opened
from sidetone.e2ee.trust import Shield


@dataclass(frozen=True, slots=True)
class Participant:
    """A member of the cryptographic roster, as a client shows it."""

    sender: int
    user: bytes
    device: bytes
    uik: bytes
    dk: bytes
    shield: Shield


@dataclass(frozen=True, slots=True)
class SendKeyPackage:
    """Ask to be added to the group."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class SendRenewal:
    """Ask to be removed and re-added with a fresh leaf and the newest grant."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class SendResync:
    """Ask to be removed and re-added, because we lost the group's thread."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class SendCommit:
    """Offer a commit to the room, with every member's wrap."""

    wire: bytes


@dataclass(frozen=True, slots=True)
class SendCommitFailed:
    """Report that the commit to *epoch* cannot be processed."""

    epoch: int


@dataclass(frozen=True, slots=True)
class EpochStarted:
    """The group is in a new epoch; *code* is its 30 digits."""

    epoch: int
    code: str


@dataclass(frozen=True, slots=True)
class RosterChanged:
    """Who is in the group, or what we know of them, is different now."""

    participants: tuple[Participant, ...]


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """A member shows another key than its user's pin: the microphone is held."""

    sender: int
    user: bytes
    uik: bytes


@dataclass(frozen=True, slots=True)
class PinsChanged:
    """The pins are to be saved."""


@dataclass(frozen=True, slots=True)
class GrantWanted:
    """A new grant is wanted for the next renewal."""


@dataclass(frozen=True, slots=True)
class Removed:
    """The others removed us; we hold no keys any more."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that came in was refused; *code* and *detail* are those of `Rejected`."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class FrameOpened:
    """A frame that was held for its commit has opened."""

    opened: Opened


Action: TypeAlias = (
    SendKeyPackage
    | SendRenewal
    | SendResync
    | SendCommit
    | SendCommitFailed
    | EpochStarted
    | RosterChanged
    | IdentityChanged
    | PinsChanged
    | GrantWanted
    | Removed
    | Refused
    | FrameOpened
)
