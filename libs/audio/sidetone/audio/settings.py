"""How a voice is to be captured and encoded: what people choose, checked. Pure."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sidetone.audio import AudioError
from sidetone.audio.codec import BITRATE_MAX, BITRATE_MIN

FRAMES_MS: Final = (5, 10, 20)
VOLUME_PERCENT_MAX: Final = 200
COMPLEXITY_MAX: Final = 10


class Preset(IntEnum):
    """Bitrates with names, in bit/s."""

    VOICE = 32_000
    STANDARD = 64_000
    HIGH = 96_000
    STUDIO = 256_000


class Suppression(IntEnum):
    """How much of the room is taken out; MAX needs the extra ``rnnoise``."""

    OFF = 0
    LOW = 1
    HIGH = 2
    MAX = 3


class Activation(IntEnum):
    """When the microphone is heard: by voice, by a key that is held down, or always."""

    VOICE = 0
    PUSH_TO_TALK = 1
    ALWAYS = 2


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """One set of choices; raises ``AudioError`` for what cannot be.

    *complexity* is the most that the encoder may spend (it spends less on a busy machine). With
    *adapts* the frame length and the in-band copies follow the loss that listeners report;
    *frame_ms* is what is used on a clean network. *threshold_db* makes voice activation less
    sensitive than the noise floor alone, or more so below 0.
    """

    bitrate: int = Preset.STANDARD
    frame_ms: int = 10
    complexity: int = COMPLEXITY_MAX
    dtx: bool = False
    adapts: bool = True
    suppression: Suppression = Suppression.HIGH
    echo_cancellation: bool = False
    gain_control: bool = True
    target_db: float = -20.0
    input_volume_percent: int = 100
    activation: Activation = Activation.VOICE
    threshold_db: float = 0.0
    hangover_ms: int = 300
    release_ms: int = 200

    def __post_init__(self) -> None:
        _check("a bitrate", self.bitrate, BITRATE_MIN, BITRATE_MAX, "bit/s")
        if self.frame_ms not in FRAMES_MS:
            raise AudioError(f"frames of {self.frame_ms} ms are not possible; choose 5, 10 or 20")
        _check("a complexity", self.complexity, 0, COMPLEXITY_MAX, "")
        _check("a target level", self.target_db, -40, -6, "dB")
        _check("an input volume", self.input_volume_percent, 0, VOLUME_PERCENT_MAX, "%")
        _check("a threshold", self.threshold_db, -30, 30, "dB")
        _check("a hangover", self.hangover_ms, 0, 2000, "ms")
        _check("a release delay", self.release_ms, 0, 2000, "ms")


def _check(what: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        wish = f"{what} of {value} {unit}".rstrip()
        raise AudioError(f"{wish} is not possible; choose {low} to {high}")
