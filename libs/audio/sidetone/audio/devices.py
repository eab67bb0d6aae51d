"""What a microphone and a loudspeaker are, and those that need no hardware.

The audio loops see a device's record alone (`streams`), which is full of addresses: the objects
here own what is there, and whoever uses a record keeps its device. Sound cards are in
`sound_card`. Only ``AudioError`` comes out of here.
"""

import threading
import wave
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import soxr  # pyright: ignore[reportMissingTypeStubs]

from sidetone.audio import FRAME_SAMPLES, HOP_SAMPLES, SAMPLE_RATE, AudioError, Samples
from sidetone.audio import stream_layout as layouts
from sidetone.audio.memory_streams import memory_stream
from sidetone.audio.sample_rings import Ring
from sidetone.audio.streams import end
from sidetone.audio.tracks import Track, finish
from sidetone.native import Record

_WAV_SECONDS: Final = 4.0
_WAV_STEP_SECONDS: Final = 0.1


class Microphone(Protocol):
    """Where sound comes from."""

    @property
    def stream(self) -> Record:
        """What `streams.read_hop` takes; valid until `close`."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def failure(self, code: int) -> AudioError:
        """Put into words what a number below zero from `streams.read_hop` means."""
        ...

    def close(self) -> None:
        """Free the device, which no loop reads any more; a second time does nothing."""
        ...


class Speaker(Protocol):
    """Where sound goes."""

    @property
    def stream(self) -> Record:
        """What `streams.write_hop` takes; valid until `close`."""
        ...

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def failure(self, code: int) -> AudioError:
        """Put into words what a number below zero from `streams.write_hop` means."""
        ...

    def close(self) -> None:
        """Free the device, to which no loop writes any more; a second time does nothing."""
        ...


class MemoryDevice:
    """A device made of memory alone, in either direction; without a *ring* it is silent."""

    def __init__(
        self,
        name: str,
        ring: Ring | None = None,
        *,
        policy: int = layouts.PATIENT,
        track: Track | None = None,
    ) -> None:
        self.name = name
        self.stream: Record = memory_stream(ring, policy=policy, track=track)
        self._ring = ring
        self._track = track

    def failure(self, code: int) -> AudioError:
        """Memory does not fail; it can only have been withdrawn."""
        return AudioError(f"{self.name} has ended ({code}); choose another device")

    def close(self) -> None:
        """Complete the last frame of the track; there is nothing else to free."""
        finish(self.stream.pen)


class NullMicrophone(MemoryDevice):
    """Silence at real-time pace."""

    def __init__(self) -> None:
        super().__init__("the silent microphone")


class NullSpeaker(MemoryDevice):
    """Hear nothing at real-time pace; *track* may keep what would have been heard."""

    def __init__(self, *, track: Track | None = None) -> None:
        super().__init__("the silent loudspeaker", track=track)


def virtual_pair() -> tuple[Microphone, Speaker]:
    """Make a microphone that hears what is written to the speaker, one to three hops later."""
    ring = Ring(np.zeros(2 * layouts.BACKLOG_HOPS_MAX * HOP_SAMPLES, np.float32))
    return (
        MemoryDevice("the virtual microphone", ring, policy=layouts.LIVE),
        MemoryDevice("the virtual loudspeaker", ring),
    )


class FileMicrophone(MemoryDevice):
    """Speak a WAV file: a bot's voice, and the ground truth of a measurement.

    It begins *offset_ms* into the file, with *loop* at the start again after the end, otherwise
    silence follows. What was spoken is kept in *track* with its time.
    """

    def __init__(
        self, path: Path, *, loop: bool = False, offset_ms: int = 0, track: Track | None = None
    ) -> None:
        sound = read_wav(path)
        frames = -(-sound.size // FRAME_SAMPLES)
        whole = np.zeros(frames * FRAME_SAMPLES, np.float32)
        whole[: sound.size] = sound
        self._file = Ring(whole, full=True, again=loop)
        offset = max(offset_ms, 0) * SAMPLE_RATE // 1000
        self._file.skip(offset // FRAME_SAMPLES * FRAME_SAMPLES)
        super().__init__(str(path), self._file, policy=layouts.FILE, track=track)

    @property
    def finished(self) -> bool:
        """Say whether the whole file was spoken; never true in a loop."""
        return self._file.waiting <= 0


class FileSpeaker:
    """Record what is heard to a 16-bit WAV file; ``close`` completes it.

    A thread of its own writes what the loop has left in the track. A disk that is full ends the
    stream, which the loop is told and does not end the call.
    """

    def __init__(self, path: Path, *, track: Track | None = None) -> None:
        self.name = str(path)
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
        self._track = Track(_WAV_SECONDS) if track is None else track
        self._frames_written = self._track.written
        self._error: AudioError | None = None
        self._closing = threading.Event()
        self.stream: Record = memory_stream(track=self._track)
        self._thread = threading.Thread(target=self._run, name="wav-writer", daemon=True)
        self._thread.start()

    def failure(self, code: int) -> AudioError:
        """Say why the recording has ended."""
        return self._error or AudioError(f"{self.name} has ended ({code}); choose another device")

    def close(self) -> None:
        """Write what is left and the length into the header, and close the file."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._thread.join()
        finish(self.stream.pen)
        self._write()
        try:
            self._file.close()
            self._raw.flush()
        except OSError as error:
            raise AudioError(f"cannot complete {self.name}: {error.strerror}") from error
        finally:
            # Where the disk is full, closing fails once more, but it does close.
            with suppress(OSError):
                self._raw.close()

    def _run(self) -> None:
        while not self._closing.wait(_WAV_STEP_SECONDS) and self._error is None:
            self._write()

    def _write(self) -> None:
        """Append the frames since the last time, after silence for what was not played or kept."""
        frames = self._track.read(self._frames_written)
        lost = frames.first - self._frames_written
        self._frames_written = frames.first + len(frames.sound)
        pcm = (np.clip(frames.sound, -1, 1) * 32767).round().astype("<i2")
        try:
            self._file.writeframesraw(bytes(2 * lost * FRAME_SAMPLES))
            for missed, frame in zip(frames.missed, pcm, strict=True):
                self._file.writeframesraw(bytes(2 * int(missed) * HOP_SAMPLES) + frame.tobytes())
        except OSError as error:
            self._error = AudioError(
                f"cannot write {self.name}: {error.strerror}; the recording has ended"
            )
            end(self.stream)


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
