"""Where the sound of a call comes from and goes to: ports, since no use case opens hardware."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sidetone.desktop.domain.preferences import Voice

if TYPE_CHECKING:
    # What knows sound imports kernels, which take a while: not before somebody talks.
    from sidetone.audio.devices import Microphone, Speaker
    from sidetone.audio.settings import VoiceSettings


@dataclass(frozen=True)
class OpenSound:
    """Devices that are open; *problems* are lines for the user about those that are not."""

    microphone: "Microphone"
    speaker: "Speaker"
    problems: list[str] = field(default_factory=list[str])

    def close(self) -> None:
        """Free both; a second time does nothing. Blocks for a moment."""
        self.microphone.close()
        self.speaker.close()


class SoundDevices(Protocol):
    """What opens devices. All of it may block, and is called on threads."""

    def open(self, voice: Voice) -> OpenSound:
        """Open what is chosen in *voice*; what cannot be had is replaced by silence."""
        ...

    def names(self) -> tuple[list[str], list[str]]:
        """Return microphones and loudspeakers by name; ``Unavailable`` where none can be had."""
        ...

    def settings(self, voice: Voice) -> "VoiceSettings":
        """Return *voice* in the words of the audio core."""
        ...


class Ringer(Protocol):
    """What makes a sound while somebody calls. Its calls block for a moment."""

    def start(self, voice: Voice) -> None:
        """Ring until ``stop``; nothing happens where there is no loudspeaker."""
        ...

    def stop(self) -> None:
        """Be silent; a second time does nothing."""
        ...
