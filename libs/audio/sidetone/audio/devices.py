"""The seam to sound hardware, and the devices that need none: files and silence at real-time pace.

A device blocks its caller for as long as ten milliseconds of sound take, on an absolute clock: a
late caller catches up, nothing drifts. Only ``AudioError`` comes out of here.
"""

import time
import wave
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs]

from sidetone.audio import (
    FRAME_NS,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    AudioError,
    Frame,
    Samples,
)
from sidetone.audio.tracks import Track

BEHIND_FRAMES_MAX: Final = 20
"""A caller later than 200 ms has lost what lies before, as with the ring of a sound card."""

_NS: Final = 1_000_000_000


class Microphone(Protocol):
    """Where frames come from."""

    def read(self, out: Frame) -> int:
        """Fill *out* with the next frame and return when its first sample was spoken, in ns.

        Blocks until the last sample was spoken. Raises ``AudioError`` when the device has failed.
        """
        ...

    def close(self) -> None:
        """Free the device; a second time does nothing."""
        ...


class Speaker(Protocol):
    """Where frames go."""

    def write(self, frame: Frame) -> int:
        """Let *frame* be heard and return when its first sample is, in ns.

        Blocks until the next frame is due, so that it can be made as late, that is as fresh, as
        possible. Raises ``AudioError`` when the device has failed.
        """
        ...

    def close(self) -> None:
        """Free the device; a second time does nothing."""
        ...


class _Pace:
    """Deadlines every 10 ms from the first call on."""

    def __init__(self) -> None:
        self._frame_ns: int | None = None

    def begin(self) -> tuple[int, int]:
        """Return when this frame begins and how many before it were missed."""
        now_ns = time.monotonic_ns()
        if self._frame_ns is None:
            self._frame_ns = now_ns
        missed = (now_ns - self._frame_ns) // FRAME_NS
        if missed <= BEHIND_FRAMES_MAX:
            return self._frame_ns, 0
        self._frame_ns += missed * FRAME_NS
        return self._frame_ns, missed

    def end(self) -> None:
        """Block until this frame is over."""
        begun_ns, _ = self.begin()
        self._frame_ns = begun_ns + FRAME_NS
        wait_ns = self._frame_ns - time.monotonic_ns()
        if wait_ns > 0:
            time.sleep(wait_ns / _NS)


def read_wav(path: Path) -> Samples:
    """Read a WAV file of any rate, mono or stereo, 8 to 32 bit PCM, as 48 kHz mono.

    Raises ``AudioError`` for what is not there, not WAV, cut off, or empty.
    """
    try:
        with wave.open(str(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            data = file.readframes(file.getnframes())
    except OSError as error:
        raise AudioError(f"cannot read {path}: {error.strerror}; name a WAV file") from error
    except (wave.Error, EOFError) as error:
        raise AudioError(
            f"{path} is not a PCM WAV file ({error or 'it ends too early'}); convert it, "
            "for example with: ffmpeg -i INPUT -c:a pcm_s16le OUTPUT.wav"
        ) from error
    data = data[: len(data) - len(data) % (width * channels)]
    if not data or rate <= 0:
        raise AudioError(f"{path} contains no sound; name a WAV file that does")
    sound = _pcm(data, width).reshape(-1, channels).mean(axis=1, dtype=np.float32)
    return _resampled(sound, rate)


def _pcm(data: bytes, width: int) -> Samples:
    """Turn little-endian PCM into -1 to 1; 8 bit is unsigned, 24 bit has no type of its own."""
    raw = np.frombuffer(data, np.uint8)
    if width == 1:
        return (raw.astype(np.float32) - np.float32(128)) / np.float32(128)
    wide = np.zeros((raw.size // width, 4), np.uint8)
    wide[:, 4 - width :] = raw.reshape(-1, width)
    return wide.reshape(-1).view("<i4").astype(np.float32) / np.float32(2**31)


def _resampled(sound: Samples, rate: int) -> Samples:
    if rate == SAMPLE_RATE:
        return sound
    result: Samples = soxr.resample(sound, rate, SAMPLE_RATE)  # pyright: ignore[reportUnknownMemberType]
    return result


class FileMicrophone:
    """Speak a WAV file: a bot's voice, and the ground truth of a measurement.

    It begins *offset_ms* into the file, with *loop* at the start again after the end, otherwise
    silence follows. What was spoken is kept in *track* with its time.
    """

    def __init__(
        self, path: Path, *, loop: bool = False, offset_ms: int = 0, track: Track | None = None
    ) -> None:
        sound = read_wav(path)
        frames = -(-sound.size // FRAME_SAMPLES)
        self._sound = np.zeros(frames * FRAME_SAMPLES, np.float32)
        self._sound[: sound.size] = sound
        self._at = max(offset_ms, 0) * SAMPLE_RATE // 1000 // FRAME_SAMPLES * FRAME_SAMPLES
        self._loop = loop
        self._track = track
        self._pace = _Pace()

    @property
    def finished(self) -> bool:
        """Say whether the whole file was spoken; never true in a loop."""
        return not self._loop and self._at >= self._sound.size

    def read(self, out: Frame) -> int:
        """Speak the next 10 ms of the file; a caller who was away has missed some."""
        begun_ns, missed = self._pace.begin()
        self._at += missed * FRAME_SAMPLES
        if self._loop:
            self._at %= self._sound.size
        out[:] = 0
        rest = self._sound[self._at : self._at + FRAME_SAMPLES]
        out[: rest.size] = rest
        self._at += FRAME_SAMPLES
        self._pace.end()
        if self._track is not None:
            self._track.append(out, begun_ns)
        return begun_ns

    def close(self) -> None:
        """Nothing to free: the file was read at the start."""


class FileSpeaker:
    """Record what is heard to a 16-bit WAV file; ``close`` completes it."""

    def __init__(self, path: Path, *, track: Track | None = None) -> None:
        try:
            self._raw = path.open("wb")
        except OSError as error:
            raise AudioError(
                f"cannot write {path}: {error.strerror}; name a file in a folder you may write to"
            ) from error
        self._file = wave.open(self._raw, "wb")  # noqa: SIM115
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(SAMPLE_RATE)
        self._path = path
        self._silent = NullSpeaker(track=track)

    def write(self, frame: Frame) -> int:
        """Append *frame*, after silence for what a late caller left out."""
        pcm = (np.clip(frame, -1, 1) * 32767).round().astype("<i2").tobytes()
        missed = self._silent.missed()
        try:
            self._file.writeframesraw(bytes(missed * len(pcm)) + pcm)
        except OSError as error:
            raise AudioError(
                f"cannot write {self._path}: {error.strerror}; the recording has ended"
            ) from error
        return self._silent.write(frame)

    def close(self) -> None:
        """Write the length into the header and close the file."""
        try:
            self._file.close()
            self._raw.close()
        except OSError as error:
            raise AudioError(f"cannot complete {self._path}: {error.strerror}") from error


class NullMicrophone:
    """Silence at real-time pace."""

    def __init__(self) -> None:
        self._pace = _Pace()

    def read(self, out: Frame) -> int:
        """Return 10 ms of silence."""
        begun_ns, _ = self._pace.begin()
        out[:] = 0
        self._pace.end()
        return begun_ns

    def close(self) -> None:
        """Nothing to free."""


class NullSpeaker:
    """Hear nothing at real-time pace; *track* may keep what would have been heard."""

    def __init__(self, *, track: Track | None = None) -> None:
        self._track = track
        self._pace = _Pace()

    def missed(self) -> int:
        """Return how many frames nobody wrote in time since the last one."""
        return self._pace.begin()[1]

    def write(self, frame: Frame) -> int:
        """Keep *frame* in the track; a frame that comes late is heard late."""
        begun_ns, _ = self._pace.begin()
        heard_ns = max(begun_ns, time.monotonic_ns())
        if self._track is not None:
            self._track.append(frame, heard_ns)
        self._pace.end()
        return heard_ns

    def close(self) -> None:
        """Nothing to free."""
