import importlib.util
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from sidetone.audio import FRAME_NS, FRAME_SAMPLES, AudioError, Samples
from sidetone.audio.devices import (
    BEHIND_FRAMES_MAX,
    FileMicrophone,
    FileSpeaker,
    NullMicrophone,
    NullSpeaker,
    read_wav,
)
from sidetone.audio.sound_card import open_microphone, open_speaker
from sidetone.audio.tracks import Track


def write_wav(path: Path, sound: Samples, rate: int, channels: int = 1, width: int = 2) -> Path:
    wide = np.clip(np.round(sound.astype(np.float64) * 2**31), -(2**31), 2**31 - 1).astype("<i4")
    pcm = wide.view(np.uint8).reshape(-1, 4)[:, 4 - width :]
    if width == 1:
        pcm = pcm ^ 0x80
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm.tobytes())
    return path


def sine(rate: int, seconds: float, frequency_hz: float = 440) -> Samples:
    at = np.arange(int(rate * seconds)) / rate
    return (0.5 * np.sin(2 * np.pi * frequency_hz * at)).astype(np.float32)


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_becomes_48_khz_mono(tmp_path: Path, rate: int, channels: int) -> None:
    sound = np.repeat(sine(rate, 0.5), channels)
    read = read_wav(write_wav(tmp_path / "x.wav", sound, rate, channels))
    assert abs(read.size - 24_000) <= 2
    middle = slice(4_800, 19_200)
    assert np.allclose(read[middle], sine(48_000, 0.5)[middle], atol=2e-3)


@pytest.mark.parametrize(("width", "error"), [(1, 2**-7), (2, 2**-15), (3, 2**-22), (4, 2**-22)])
def test_every_width_of_pcm_is_understood(tmp_path: Path, width: int, error: float) -> None:
    sound = sine(48_000, 0.1)
    read = read_wav(write_wav(tmp_path / "x.wav", sound, 48_000, width=width))
    assert np.max(np.abs(read - sound)) <= error


def test_stereo_is_averaged(tmp_path: Path) -> None:
    stereo = np.column_stack((np.full(480, 0.5), np.full(480, -0.25))).reshape(-1)
    read = read_wav(write_wav(tmp_path / "x.wav", stereo.astype(np.float32), 48_000, 2))
    assert np.allclose(read, 0.125, atol=1e-4)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot read .*missing.wav: No such file"),
        (b"", "is not a PCM WAV file .*ffmpeg"),
        (b"OggS" + bytes(100), "is not a PCM WAV file .*ffmpeg"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "is not a PCM WAV file .*ffmpeg"),
    ],
)
def test_a_file_that_is_no_sound_says_what_to_do(
    tmp_path: Path, content: bytes | None, complaint: str
) -> None:
    path = tmp_path / "missing.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AudioError, match=complaint):
        FileMicrophone(path)


def test_an_empty_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    empty = write_wav(tmp_path / "x.wav", np.zeros(0, np.float32), 48_000)
    with pytest.raises(AudioError, match="contains no sound"):
        read_wav(empty)
    with pytest.raises(AudioError, match="cannot read"):
        read_wav(tmp_path)
    with pytest.raises(AudioError, match="cannot write"):
        FileSpeaker(tmp_path / "no" / "such" / "folder.wav")


def test_a_file_cut_off_in_the_middle_of_a_sample_is_read_so_far(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", sine(48_000, 0.1), 48_000)
    path.write_bytes(path.read_bytes()[:-1001])
    assert read_wav(path).size == 4_800 - 501


def test_what_a_file_says_is_what_a_file_hears(tmp_path: Path) -> None:
    sound = sine(48_000, 0.2)
    spoken, heard = Track(), Track()
    microphone = FileMicrophone(
        write_wav(tmp_path / "in.wav", sound, 48_000, width=4), track=spoken
    )
    speaker = FileSpeaker(tmp_path / "out.wav", track=heard)
    frame = np.zeros(FRAME_SAMPLES, np.float32)
    begun = time.monotonic_ns()
    while not microphone.finished:
        microphone.read(frame)
        speaker.write(frame)
    assert time.monotonic_ns() - begun >= 20 * FRAME_NS
    microphone.read(frame)
    assert np.all(frame == 0), "silence follows the file"
    speaker.close()
    speaker.close()
    assert np.max(np.abs(read_wav(tmp_path / "out.wav") - sound)) < 2**-14
    assert np.allclose(heard.samples(), sound, rtol=0, atol=2**-31)
    assert np.all(np.diff(spoken.times_ns()) == FRAME_NS)


def test_a_loop_begins_again_and_an_offset_begins_later(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(4, dtype=np.float32) / 8, FRAME_SAMPLES)
    path = write_wav(tmp_path / "x.wav", ramp, 48_000)
    microphone, frame = FileMicrophone(path, loop=True, offset_ms=20), np.zeros(480, np.float32)
    levels: list[int] = []
    for _ in range(6):
        microphone.read(frame)
        levels.append(round(float(frame[0]) * 8))
    assert levels == [2, 3, 0, 1, 2, 3]
    assert not microphone.finished


def test_a_late_caller_catches_up_and_one_who_was_away_has_missed_it(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(100, dtype=np.float32) / 128, FRAME_SAMPLES)
    path, track = write_wav(tmp_path / "x.wav", ramp, 48_000), Track()
    microphone, frame = FileMicrophone(path, track=track), np.zeros(480, np.float32)
    for pause_frames in (0, BEHIND_FRAMES_MAX // 2, 2 * BEHIND_FRAMES_MAX):
        time.sleep(pause_frames / 100)
        microphone.read(frame)
        microphone.read(frame)
    times, spoken = track.times_ns(), track.samples()[::480] * 128
    frames_passed = (times - times[0]) / FRAME_NS
    assert np.array_equal(frames_passed, np.round(spoken)), "time and file stay together"
    assert list(frames_passed[:4]) == [0, 1, 2, 3]
    assert frames_passed[4] > 3 + BEHIND_FRAMES_MAX


def test_a_recording_keeps_time_when_its_writer_does_not(tmp_path: Path) -> None:
    speaker, frame = FileSpeaker(tmp_path / "x.wav"), np.full(FRAME_SAMPLES, 0.5, np.float32)
    begun = time.monotonic_ns()
    speaker.write(frame)
    time.sleep(0.4)
    speaker.write(frame)
    speaker.close()
    passed_ns = time.monotonic_ns() - begun
    recorded = read_wav(tmp_path / "x.wav")
    assert recorded.size >= 39 * FRAME_SAMPLES
    assert recorded.size / 48_000 <= passed_ns / 1e9 + 0.001
    assert np.all(recorded[-FRAME_SAMPLES:] > 0.4)
    assert np.all(recorded[FRAME_SAMPLES:-FRAME_SAMPLES] == 0)


def test_null_devices_keep_time() -> None:
    microphone, speaker, frame = NullMicrophone(), NullSpeaker(), np.ones(480, np.float32)
    first, second = microphone.read(frame), microphone.read(frame)
    assert second - first == FRAME_NS
    assert np.all(frame == 0)
    assert speaker.write(frame) < speaker.write(frame)
    microphone.close()
    speaker.close()


@pytest.mark.skipif(
    importlib.util.find_spec("pyaudio") is not None, reason="PyAudio is installed here"
)
def test_without_pyaudio_one_line_says_what_to_install() -> None:
    for opener in (open_microphone, open_speaker):
        with pytest.raises(AudioError, match=r"install sidetone-audio\[pyaudio\]") as caught:
            opener()
        assert "\n" not in str(caught.value)


def test_a_track_forgets_the_oldest() -> None:
    track = Track(seconds_max=0.1)
    for n in range(25):
        track.append(np.full(FRAME_SAMPLES, n, np.float32), n)
    assert len(track) == 10
    assert list(track.times_ns()) == list(range(15, 25))
    assert track.samples()[0] == 15
    assert Track().samples().size == 0
