"""What the forwarding unit needs from outside."""

import time
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from sidetone.protocol.ids import ChannelId, Sender
from sidetone.protocol.voice_control import ServerMessage
from sidetone.voice_sfu.domain.limits import Rates, VideoRates
from sidetone.voice_sfu.domain.meter import Meter
from sidetone.voice_sfu.domain.video_frame import Cut
from sidetone.voice_sfu.domain.video_queue import FrameId, Piece


class Clock(Protocol):
    """The wall clock."""

    def now_ms(self) -> int:
        """Return milliseconds since the Unix epoch, UTC."""
        ...


class Place(msgspec.Struct, frozen=True):
    """Where a member sits: whether the others hear it there, and whether it hears them."""

    channel: ChannelId
    sender: Sender
    speaks: bool
    hears: bool


class VideoLink(Protocol):
    """The video streams of one member's connection. None of its methods raises or waits."""

    def stop(self, stream: int, why: Cut) -> None:
        """Ask the client to send no more on a stream that it opened."""
        ...

    def begin(self, frame: FrameId, now: float, *, keyframe: bool) -> None:
        """Expect bytes of *frame*, for the client."""
        ...

    def add(self, piece: Piece) -> bool:
        """Send more of a frame; False if it was not begun, or cut."""
        ...

    def unfinished(self, source: Sender | None = None) -> list[FrameId]:
        """Return the frames that still wait in part, of *source* or of all."""
        ...

    def cut(self, frames: Iterable[FrameId], why: Cut) -> int:
        """Send no more of *frames*; returns how many of them were unfinished."""
        ...

    def is_late(self, now: float) -> bool:
        """Tell whether the client is too slow for what it is to be sent."""
        ...


class Connection(Protocol):
    """The network connection of one member. None of its methods raises or waits."""

    @property
    def video(self) -> VideoLink:
        """Its video streams."""
        ...

    def send(self, message: ServerMessage) -> None:
        """Tell *message*, after those before it."""
        ...

    def forward(self, datagram: bytes) -> None:
        """Pass a frame on; the oldest that wait are dropped when the network is too slow."""
        ...

    def allow(self, place: Place) -> None:
        """Learn what frames may pass, before the first and whenever that changes."""
        ...

    def settle(self) -> None:
        """Add to the meters what has passed and is not counted yet."""
        ...

    def withdraw(self) -> None:
        """Let no more frames pass: the member has no place any more."""
        ...

    def close(self, code: str, detail: str) -> None:
        """Say why and end the connection."""
        ...


class Member(Protocol):
    """Somebody whose frames pass on a way of their own, and who hears what happens there."""

    def flooded(self) -> None:
        """Far more came than anybody may send."""
        ...

    def detour(self, frame: bytes) -> None:
        """Send *frame* by aioquic, which alone may send now."""
        ...

    def meters(self) -> tuple[Meter, ...]:
        """Return what counts this member's frames."""
        ...


class Evidence(Protocol):
    """Writes down what a demonstration wants to prove about this process. Off by default."""

    def forwarded(self, datagram: bytes) -> None:
        """Note a frame that was passed on."""
        ...

    def held(self, kind: str, value: bytes) -> None:
        """Note a byte string that this process came to hold."""
        ...


class NoEvidence:
    """Writes nothing down."""

    def forwarded(self, datagram: bytes) -> None:
        """Forget the frame."""

    def held(self, kind: str, value: bytes) -> None:
        """Forget the value."""


class Surroundings(msgspec.Struct, frozen=True):
    """What every room of this process shares. *now* tells seconds of a monotonic clock."""

    clock: Clock
    meter: Meter
    evidence: Evidence
    rates: Rates
    video_rates: VideoRates = VideoRates()
    now: Callable[[], float] = time.monotonic
