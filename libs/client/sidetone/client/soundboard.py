"""Clips for a soundboard: WAV files, looked at before they are read."""

import wave
from contextlib import suppress
from pathlib import Path

from sidetone.audio import AudioError, Samples
from sidetone.audio.devices import read_wav
from sidetone.audio.engine import CLIP_SECONDS_MAX


def load_clip(path: Path) -> Samples:
    """Read a WAV file of any rate that lasts a minute at most, as 48 kHz mono.

    Raises ``AudioError``; what is too long is refused by what its head says, not read first.
    """
    seconds = 0.0
    # What cannot be opened is told by `read_wav`, in the same words as everywhere.
    with suppress(OSError, EOFError, wave.Error), wave.open(str(path), "rb") as file:
        seconds = file.getnframes() / max(file.getframerate(), 1)
    if seconds > CLIP_SECONDS_MAX:
        raise AudioError(
            f"{path} lasts {seconds:.0f} seconds; a clip may last {CLIP_SECONDS_MAX:g}, shorten it"
        )
    return read_wav(path)
