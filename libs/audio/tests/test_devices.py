import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from sidetone.audio import FRAME_NS, FRAME_SAMPLES, HOP_NS, HOP_SAMPLES, AudioError, Samples
from sidetone.audio.devices import (
    FileMicrophone,
    FileSpeaker,
    Microphone,
    NullMicrophone,
    NullSpeaker,
    Speaker,
    read_wav,
    virtual_pair,
)
from sidetone.audio.memory_streams import BEHIND_HOPS_MAX
from sidetone.audio.streams import read_hop, write_hop
from sidetone.audio.tracks import Track


def read(microphone: Microphone) -> tuple[int, Samples]:
    hop = np.full(HOP_SAMPLES, np.nan, np.float32)
    at_ns = read_hop(microphone.stream, hop)
    assert at_ns >= 0, microphone.failure(at_ns)
    return at_ns, hop


def write(speaker: Speaker, hop: Samples) -> int:
    at_ns = write_hop(speaker.stream, hop, hop)
    assert at_ns >= 0, speaker.failure(at_ns)
    return at_ns


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
    path = write_wav(tmp_path / "in.wav", sound, 48_000, width=4)
    microphone = FileMicrophone(path, track=spoken)
    speaker = FileSpeaker(tmp_path / "out.wav", track=heard)
    begun = time.monotonic_ns()
    while not microphone.finished:
        write(speaker, read(microphone)[1])
    assert time.monotonic_ns() - begun >= 40 * HOP_NS
    assert np.all(read(microphone)[1] == 0), "silence follows the file"
    microphone.close()
    speaker.close()
    speaker.close()
    assert np.max(np.abs(read_wav(tmp_path / "out.wav") - sound)) < 2**-14
    assert np.allclose(heard.samples(), sound, rtol=0, atol=2**-31)
    assert np.allclose(spoken.samples()[: sound.size], sound, rtol=0, atol=2**-31)
    assert np.all(np.diff(spoken.times_ns()) == FRAME_NS)


def test_a_loop_begins_again_and_an_offset_begins_later(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(4, dtype=np.float32) / 8, FRAME_SAMPLES)
    path = write_wav(tmp_path / "x.wav", ramp, 48_000)
    microphone = FileMicrophone(path, loop=True, offset_ms=20)
    levels = [round(float(read(microphone)[1][0]) * 8) for _ in range(12)]
    assert levels == [2, 2, 3, 3, 0, 0, 1, 1, 2, 2, 3, 3]
    assert not microphone.finished


def test_a_late_caller_catches_up_and_one_who_was_away_has_missed_it(tmp_path: Path) -> None:
    ramp = np.repeat(np.arange(200, dtype=np.float32) / 256, HOP_SAMPLES)
    microphone = FileMicrophone(write_wav(tmp_path / "x.wav", ramp, 48_000))
    read_so_far: list[tuple[int, float]] = []
    for pause_hops in (0, BEHIND_HOPS_MAX // 2, 2 * BEHIND_HOPS_MAX):
        time.sleep(pause_hops * HOP_NS / 1e9)
        for _ in range(2):
            at_ns, hop = read(microphone)
            read_so_far.append((at_ns, float(hop[0]) * 256))
    times, spoken = (np.array(column) for column in zip(*read_so_far, strict=True))
    hops_passed = (times - times[0]) / HOP_NS
    assert np.array_equal(hops_passed, np.round(spoken)), "time and file stay together"
    assert list(hops_passed[:4]) == [0, 1, 2, 3]
    assert hops_passed[4] > 3 + BEHIND_HOPS_MAX
    assert microphone.stream.missed == hops_passed[4] - 4


def test_a_recording_keeps_time_when_its_writer_does_not(tmp_path: Path) -> None:
    track = Track()
    speaker, hop = FileSpeaker(tmp_path / "x.wav", track=track), np.full(240, 0.5, np.float32)
    begun = time.monotonic_ns()
    write(speaker, hop)
    time.sleep(0.4)
    write(speaker, hop)
    speaker.close()
    passed_ns = time.monotonic_ns() - begun
    recorded = read_wav(tmp_path / "x.wav")
    assert recorded.size >= 79 * HOP_SAMPLES
    assert recorded.size / 48_000 <= passed_ns / 1e9 + 0.011, "the last frame is completed"
    loud = np.flatnonzero(recorded > 0.4)
    assert list(loud[:240]) == list(range(240))
    assert loud.size == 480
    assert recorded.size - loud[-1] <= 1 + HOP_SAMPLES


def test_a_long_recording_loses_nothing(tmp_path: Path) -> None:
    speaker = FileSpeaker(tmp_path / "x.wav")
    speaker.stream.due_ns = 1  # long ago, so that nothing waits: every hop comes late
    for n in range(900):
        speaker.stream.due_ns = time.monotonic_ns() - 2 * HOP_NS
        write(speaker, np.full(HOP_SAMPLES, n / 1000, np.float32))
        if n % 300 == 0:
            time.sleep(0.25)
    speaker.close()
    levels = read_wav(tmp_path / "x.wav")[::HOP_SAMPLES] * 1000
    assert np.allclose(levels, np.arange(900), atol=0.05)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full disk to be had here")
def test_a_full_disk_ends_the_recording_with_a_sentence() -> None:
    speaker, hop = FileSpeaker(Path("/dev/full")), np.ones(HOP_SAMPLES, np.float32)
    codes = (write_hop(speaker.stream, hop, hop) for _ in range(2_000))
    failed = next(code for code in codes if code < 0)
    assert "No space left" in str(speaker.failure(failed))
    with pytest.raises(AudioError, match="cannot complete /dev/full: No space left"):
        speaker.close()


def test_null_devices_keep_time() -> None:
    microphone, speaker = NullMicrophone(), NullSpeaker()
    (first, hop), (second, _) = read(microphone), read(microphone)
    assert second - first == HOP_NS
    assert np.all(hop == 0)
    assert write(speaker, hop) < write(speaker, hop)
    microphone.close()
    speaker.close()


def test_what_comes_late_is_heard_late() -> None:
    speaker, hop = NullSpeaker(), np.zeros(HOP_SAMPLES, np.float32)
    write(speaker, hop)
    time.sleep(0.05)
    begun = time.monotonic_ns()
    assert write(speaker, hop) >= begun
    assert speaker.stream.missed == 0


def test_a_virtual_microphone_hears_what_the_virtual_speaker_says() -> None:
    microphone, speaker = virtual_pair()
    read(microphone)
    heard: list[float] = []
    for n in range(1, 30):
        write(speaker, np.full(HOP_SAMPLES, n / 32, np.float32))
        heard.append(round(float(read(microphone)[1][-1]) * 32))
    said = [level for level in heard if level]
    assert said == list(range(1, 1 + len(said)))
    assert len(said) >= 26


def test_a_virtual_microphone_that_nobody_read_does_not_lag_behind() -> None:
    microphone, speaker = virtual_pair()
    read(microphone)
    for n in range(1, 13):
        write(speaker, np.full(HOP_SAMPLES, n / 32, np.float32))
    assert round(float(read(microphone)[1][0]) * 32) >= 12
    assert microphone.stream.discarded > 0


def test_without_pyaudio_one_line_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['pyaudio'] = None\n"
    for opener in ("open_microphone()", "open_speaker('x')", "list_devices()"):
        program = f"{hidden}from sidetone.audio import sound_card as s\ns.{opener}"
        ran = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        last = ran.stderr.splitlines()[-1]
        assert "AudioError: no " in last
        assert "install sidetone-audio[pyaudio]" in last
