import wave
from pathlib import Path

import pytest

from sidetone.audio import AudioError
from sidetone.client.soundboard import load_clip


def write(path: Path, seconds: int, rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(bytes(seconds * rate))
    return path


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_a_clip_of_any_rate_becomes_48_khz(tmp_path: Path, rate: int) -> None:
    assert load_clip(write(tmp_path / "clip.wav", 2, rate)).size == 96_000


def test_a_clip_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    assert load_clip(write(tmp_path / "clip.wav", 60, 8_000)).size == 60 * 48_000
    with pytest.raises(AudioError, match="lasts 61 seconds; a clip may last 60, shorten it"):
        load_clip(write(tmp_path / "clip.wav", 61, 8_000))


def test_what_is_no_clip_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="name a WAV file"):
        load_clip(tmp_path / "nowhere.wav")
    (tmp_path / "text.wav").write_text("this is no sound")
    with pytest.raises(AudioError, match="is not a PCM WAV file"):
        load_clip(tmp_path / "text.wav")
