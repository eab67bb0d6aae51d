"""Opens microphones and loudspeakers: sound cards, files in their place, or silence.

What knows sound is imported when a device is opened, not before: its kernels take a while.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from sidetone.desktop.application.sound_devices import OpenSound
from sidetone.desktop.domain.preferences import Voice
from sidetone.desktop.domain.wording import told, tr
from sidetone.protocol.refusals import Unavailable

if TYPE_CHECKING:
    from sidetone.audio.devices import Microphone, Speaker
    from sidetone.audio.settings import VoiceSettings

T = TypeVar("T")

SILENT: Final = "null"


class Devices:
    """The devices of this machine, or what is named in their place.

    A *microphone* may be a WAV file, which is spoken again and again, and a *speaker* one that is
    written; `null` is silence. The environment names them (SIDETONE_MICROPHONE and _SPEAKER).
    """

    def __init__(self, microphone: str = "", speaker: str = "") -> None:
        self._microphone = microphone
        self._speaker = speaker

    def open(self, voice: Voice) -> OpenSound:
        """Open what is chosen in *voice*, or the system's own choice where that is gone."""
        from sidetone.audio.devices import NullMicrophone  # noqa: PLC0415

        problems: list[str] = []
        microphone = _first(self._microphones(voice.microphone), problems)
        speaker = self.open_speaker(voice, problems)
        return OpenSound(microphone or NullMicrophone(), speaker, problems)

    def open_speaker(self, voice: Voice, problems: list[str]) -> "Speaker":
        """Open the loudspeaker alone; *problems* gets a line if that is not what was chosen."""
        from sidetone.audio.devices import NullSpeaker  # noqa: PLC0415

        return _first(self._speakers(voice.speaker), problems) or NullSpeaker()

    def names(self) -> tuple[list[str], list[str]]:
        """Return microphones and loudspeakers by name, the system's own first."""
        from sidetone.audio import AudioError  # noqa: PLC0415
        from sidetone.audio.sound_card import list_devices  # noqa: PLC0415

        try:
            found = list_devices()
        except AudioError as error:
            raise Unavailable("devices_unknown", str(error)) from error
        microphones = [device.id for device in found if device.direction == "input"]
        return microphones, [device.id for device in found if device.direction == "output"]

    def settings(self, voice: Voice) -> "VoiceSettings":
        """Return *voice* in the words of the audio core."""
        from sidetone.audio import settings  # noqa: PLC0415

        return settings.VoiceSettings(
            bitrate=settings.Preset[voice.preset.upper()],
            suppression=settings.Suppression[voice.suppression.upper()],
            echo_cancellation=voice.echo_cancellation,
            gain_control=voice.gain_control,
            input_volume_percent=voice.input_percent,
            activation=settings.Activation[voice.activation.upper()],
            threshold_db=voice.threshold_db,
            release_ms=voice.release_ms,
        )

    def _microphones(self, chosen: str) -> "list[Callable[[], Microphone]]":
        """Return what to try, one after another."""
        from sidetone.audio.devices import FileMicrophone, NullMicrophone  # noqa: PLC0415
        from sidetone.audio.sound_card import open_microphone  # noqa: PLC0415

        if self._microphone == SILENT:
            return [NullMicrophone]
        if self._microphone:
            return [lambda: FileMicrophone(Path(self._microphone), loop=True)]
        own: list[Callable[[], Microphone]] = [lambda: open_microphone(chosen)] if chosen else []
        return [*own, open_microphone]

    def _speakers(self, chosen: str) -> "list[Callable[[], Speaker]]":
        from sidetone.audio.devices import FileSpeaker, NullSpeaker  # noqa: PLC0415
        from sidetone.audio.sound_card import open_speaker  # noqa: PLC0415

        if self._speaker == SILENT:
            return [NullSpeaker]
        if self._speaker:
            return [lambda: FileSpeaker(Path(self._speaker))]
        own: list[Callable[[], Speaker]] = [lambda: open_speaker(chosen)] if chosen else []
        return [*own, open_speaker]


def _first(tries: "list[Callable[[], T]]", problems: list[str]) -> "T | None":
    """Return the first device that can be opened; say why what was wished for could not."""
    from sidetone.audio import AudioError  # noqa: PLC0415

    said = ""
    for open_one in tries:
        try:
            device = open_one()
        except AudioError as error:
            said = said or str(error)
        else:
            if said:
                problems.append(tr("{problem} Another one is used.", problem=told(said)))
            return device
    problems.append(said)
    return None
