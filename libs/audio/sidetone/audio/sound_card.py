"""Real microphones and loudspeakers through PortAudio; needs the extra ``pyaudio``.

The only module that knows PyAudio, which is imported when a device is opened, not before.
"""

import importlib
import time
from typing import Any, Final

import numpy as np

from sidetone.audio import FRAME_NS, FRAME_SAMPLES, SAMPLE_RATE, AudioError, Frame
from sidetone.audio.devices import Microphone, Speaker

_FLOAT32: Final = 1
_NS: Final = 1_000_000_000


def open_microphone() -> Microphone:
    """Open the system's default microphone; raises ``AudioError`` without one."""
    return _CardMicrophone()


def open_speaker() -> Speaker:
    """Open the system's default loudspeaker; raises ``AudioError`` without one."""
    return _CardSpeaker()


class _Card:
    """One PortAudio stream of mono float32 at 48 kHz in buffers of 10 ms."""

    def __init__(self, name: str, direction: str) -> None:
        try:
            pyaudio: Any = importlib.import_module("pyaudio")
        except ImportError as error:
            raise AudioError(
                f"no {name}: sound cards need PyAudio ({error}); "
                "install sidetone-audio[pyaudio] and the system library portaudio"
            ) from error
        self._name = name
        self._audio: Any = pyaudio.PyAudio()
        try:
            self._stream: Any = self._audio.open(
                rate=SAMPLE_RATE,
                channels=1,
                format=_FLOAT32,
                frames_per_buffer=FRAME_SAMPLES,
                **{direction: True},
            )
        except (OSError, ValueError) as error:
            self._audio.terminate()
            raise AudioError(
                f"no {name}: {error}; plug one in, or talk with a file as device"
            ) from error
        self._closed = False

    def failed(self, error: OSError) -> AudioError:
        return AudioError(f"the {self._name} has failed: {error}; choose another one")

    def close(self) -> None:
        """Stop the stream and leave PortAudio; a second time does nothing."""
        if not self._closed:
            self._closed = True
            self._stream.close()
            self._audio.terminate()


class _CardMicrophone(_Card):
    def __init__(self) -> None:
        super().__init__("microphone", "input")
        # Some servers hand over a backlog of a second at the start; it would be delay for ever.
        backlog: int = self._stream.get_read_available()
        if backlog:
            self._stream.read(backlog, exception_on_overflow=False)

    def read(self, out: Frame) -> int:
        """Fill *out*; the time is that of the return less the sound still in the card's buffer."""
        try:
            data: bytes = self._stream.read(FRAME_SAMPLES, exception_on_overflow=False)
            waiting: int = self._stream.get_read_available()
        except OSError as error:
            raise self.failed(error) from error
        out[:] = np.frombuffer(data, np.float32)
        return time.monotonic_ns() - FRAME_NS - waiting * _NS // SAMPLE_RATE


class _CardSpeaker(_Card):
    def __init__(self) -> None:
        super().__init__("loudspeaker", "output")

    def write(self, frame: Frame) -> int:
        """Hand *frame* to the card; the time includes the card's own latency."""
        try:
            self._stream.write(frame.tobytes(), FRAME_SAMPLES)
            latency_seconds: float = self._stream.get_output_latency()
        except OSError as error:
            raise self.failed(error) from error
        return time.monotonic_ns() + int(latency_seconds * _NS)
