"""Real microphones and loudspeakers through PortAudio; needs the extra ``pyaudio``.

The only module that knows PyAudio, which is imported when a device is looked for, not before.
PyAudio opens a stream; the audio loops then read and write it through PortAudio's own functions,
without the interpreter lock, or through PyAudio's where those cannot be found for certain.
"""

import ctypes
import importlib
import sys
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from sidetone.audio import HOP_MS, SAMPLE_RATE, AudioError, Samples, linux_sound
from sidetone.audio.driver_streams import Driver, DriverStream
from sidetone.audio.python_drivers import Registration
from sidetone.audio.stream_layout import STALLED
from sidetone.native import Record

Direction: TypeAlias = Literal["input", "output"]

_NAMES: Final = {"input": "microphone", "output": "loudspeaker"}
_FLOAT32: Final = 1
_WASAPI: Final = 13
_ANY_BUFFER: Final = 0
_REASONS: Final = {
    STALLED: "no sound has passed for two seconds",
    -9999: "it was unplugged or its sound server has ended",
    -9985: "another program uses it",
    -9996: "the system has none",
    -9997: "it cannot do 48000 Hz",
    -9988: "it was closed",
}

# Where PyAudio 0.2.14 and PortAudio 19 keep what we need, in 64-bit CPython.
_KNOWN_PYAUDIO: Final = "0.2.14"
_KNOWN_PORTAUDIO: Final = "PortAudio V19"
_STREAM_OFFSET: Final = 16
_MAGIC: Final = 0x18273645
_INTERFACE_OFFSET: Final = 16
_READ, _WRITE, _READ_AVAILABLE, _WRITE_AVAILABLE = range(8, 12)
_POINTER_BYTES: Final = 8

_users = 0
_lock: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """One direction of one device, as the system calls it."""

    index: int
    name: str
    host_api: str
    direction: Direction
    channels_max: int
    rate_default: int
    latency_low_ms: float
    latency_high_ms: float
    is_default: bool

    @property
    def id(self) -> str:
        """What to open it by: the same in the next run, where the index is not."""
        return f"{self.name} [{self.host_api}]"


def list_devices() -> list[DeviceInfo]:
    """Return what can be opened, the default of each direction first.

    PortAudio looks at the system when its first user comes: while a sound card is open (`in_use`),
    what was plugged in since is not in the list. Raises ``AudioError`` without PyAudio.
    """
    audio = _portaudio("sound card")
    try:
        found = _devices(audio)
    finally:
        _release(audio)
    return sorted(found, key=lambda device: (device.direction, not device.is_default))


def in_use() -> int:
    """Return how many sound cards are open."""
    return _users


class SoundCard:
    """One open direction of a sound card: the port of a microphone, or that of a loudspeaker."""

    def __init__(self, direction: Direction, wanted: str | None) -> None:
        self._kind = _NAMES[direction]
        self._audio = _portaudio(self._kind)
        self._closed = False
        self._registration: Registration | None = None
        try:
            info = _choose(_devices(self._audio), direction, wanted)
            self.name = info.name
            self._stream, rate, channels = _open(self._audio, info)
            self._opened = self._driver(direction, rate, channels)
            self._stream.start_stream()
        except BaseException:
            _release(self._audio)
            raise

    @property
    def stream(self) -> Record:
        """What the loops take."""
        return self._opened.record

    @property
    def is_direct(self) -> bool:
        """Whether the loops reach PortAudio itself, without the interpreter lock."""
        return self._registration is None

    def failure(self, code: int) -> AudioError:
        """Put into words what a number below zero from the loops' calls means."""
        reason = _REASONS.get(code, f"PortAudio says {code}")
        return AudioError(f"the {self._kind} “{self.name}” is gone: {reason}; choose another one")

    def close(self) -> None:
        """Stop the stream and leave PortAudio; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._stream.close()
        except OSError:
            # Whoever is gone cannot be told to stop.
            pass
        finally:
            if self._registration is not None:
                self._registration.close()
            _release(self._audio)

    def _driver(self, direction: Direction, rate: int, channels: int) -> DriverStream:
        output = direction == "output"
        driver = _direct(self._stream, rate, channels, output=output)
        if driver is None:
            device = _Blocking(self._stream, output=output)
            self._registration = Registration(device, rate=rate, channels=channels)
            driver = self._registration.driver
        return DriverStream(driver, output=output)


def open_microphone(wanted: str | None = None) -> SoundCard:
    """Open a microphone by its id or name, or the system's default.

    Raises ``AudioError`` where there is none, it is busy, or PyAudio is missing.
    """
    return SoundCard("input", wanted)


def open_speaker(wanted: str | None = None) -> SoundCard:
    """Open a loudspeaker by its id or name, or the system's default.

    Raises ``AudioError`` where there is none, it is busy, or PyAudio is missing.
    """
    return SoundCard("output", wanted)


def _portaudio(kind: str) -> Any:  # noqa: ANN401 - PyAudio has no types
    global _users  # noqa: PLW0603 - PortAudio itself is one for the process
    _prepare()
    try:
        pyaudio: Any = importlib.import_module("pyaudio")
    except ImportError as error:
        raise AudioError(
            f"no {kind}: sound cards need PyAudio ({error}); "
            "install sidetone-audio[pyaudio] and the system library portaudio"
        ) from error
    with _lock:
        try:
            audio = pyaudio.PyAudio()
        except OSError as error:
            raise AudioError(f"no {kind}: the system's sound does not start ({error})") from error
        _users += 1
    return audio


def _release(audio: Any) -> None:  # noqa: ANN401
    global _users  # noqa: PLW0603
    with _lock:
        _users -= 1
        audio.terminate()


@cache
def _prepare() -> None:
    if sys.platform == "linux":
        linux_sound.hush()
        linux_sound.share_no_memory()


def _devices(audio: Any) -> list[DeviceInfo]:  # noqa: ANN401
    apis = [audio.get_host_api_info_by_index(n) for n in range(audio.get_host_api_count())]
    found: list[DeviceInfo] = []
    for index in range(audio.get_device_count()):
        info = audio.get_device_info_by_index(index)
        for direction in ("input", "output"):
            kind = direction.capitalize()
            if info[f"max{kind}Channels"] > 0:
                found.append(
                    DeviceInfo(
                        index=index,
                        name=info["name"],
                        host_api=apis[info["hostApi"]]["name"],
                        direction=direction,
                        channels_max=info[f"max{kind}Channels"],
                        rate_default=int(info["defaultSampleRate"]),
                        latency_low_ms=info[f"defaultLow{kind}Latency"] * 1000,
                        latency_high_ms=info[f"defaultHigh{kind}Latency"] * 1000,
                        is_default=index == _default(apis, f"default{kind}Device"),
                    )
                )
    return found


def _default(apis: list[Any], key: str) -> int:
    """Return the index of the default device, on Windows that of its fastest interface."""
    ordered = sorted(apis, key=lambda api: api["type"] != _WASAPI)
    return next((int(api[key]) for api in ordered if api[key] >= 0), -1)


def _choose(devices: list[DeviceInfo], direction: Direction, wanted: str | None) -> DeviceInfo:
    """Return the device that is *wanted*, by its id or else by its name."""
    kind = _NAMES[direction]
    there = [device for device in devices if device.direction == direction]
    if wanted is None:
        chosen = [device for device in there if device.is_default]
        if not chosen:
            raise AudioError(f"no {kind}: plug one in, or talk with a file as device")
        return chosen[0]
    chosen = [device for device in there if device.id == wanted]
    chosen += [device for device in there if device.name == wanted]
    if not chosen:
        names = ", ".join(device.id for device in there) or "none at all"
        raise AudioError(f"no {kind} is called “{wanted}”; there is {names}")
    return chosen[0]


def _open(audio: Any, info: DeviceInfo) -> tuple[Any, int, int]:  # noqa: ANN401
    """Open *info* at 48 kHz in buffers of 5 ms, or near; returns its rate and channels too."""
    wishes = (1, 2) if info.direction == "input" else (2, 1)
    error: Exception | None = None
    for rate in dict.fromkeys((SAMPLE_RATE, info.rate_default)):
        for channels in (wish for wish in wishes if wish <= info.channels_max):
            for frames in (rate * HOP_MS // 1000, _ANY_BUFFER):
                try:
                    stream = audio.open(
                        rate=rate,
                        channels=channels,
                        format=_FLOAT32,
                        frames_per_buffer=frames,
                        start=False,
                        **{info.direction: True, f"{info.direction}_device_index": info.index},
                    )
                except (OSError, ValueError) as refused:
                    error = error or refused
                else:
                    return stream, rate, channels
    code = error.errno if isinstance(error, OSError) else None
    reason = _REASONS.get(code or 0, str(error))
    raise AudioError(
        f"the {_NAMES[info.direction]} “{info.name}” cannot be opened: {reason}; "
        "close what else uses it, or choose another one"
    )


def _direct(stream: Any, rate: int, channels: int, *, output: bool) -> Driver | None:  # noqa: ANN401
    """Find PortAudio's own functions for *stream*, or return None where there is any doubt."""
    pyaudio: Any = importlib.import_module("pyaudio")
    if (
        pyaudio.__version__ != _KNOWN_PYAUDIO
        or not pyaudio.get_portaudio_version_text().startswith(_KNOWN_PORTAUDIO)
        or sys.implementation.name != "cpython"
        or ctypes.sizeof(ctypes.c_void_p) != _POINTER_BYTES
        or object.__basicsize__ != _STREAM_OFFSET
    ):
        return None
    handle = _pointer_at(id(stream._stream) + _STREAM_OFFSET)  # noqa: SLF001 - guarded above
    if handle == 0 or ctypes.c_uint32.from_address(handle).value != _MAGIC:
        return None
    table = _pointer_at(handle + _INTERFACE_OFFSET)
    slots = (_WRITE, _WRITE_AVAILABLE) if output else (_READ, _READ_AVAILABLE)
    transfer, available = (_pointer_at(table + slot * _POINTER_BYTES) for slot in slots)
    return Driver(transfer, available, handle, rate, channels)


def _pointer_at(address: int) -> int:
    return ctypes.c_void_p.from_address(address).value or 0


class _Blocking:
    """PyAudio's own way to the stream, where the direct one is not certain."""

    def __init__(self, stream: Any, *, output: bool) -> None:  # noqa: ANN401
        self._stream = stream
        self._output = output

    def available(self) -> int:
        if self._output:
            return int(self._stream.get_write_available())
        return int(self._stream.get_read_available())

    def transfer(self, sound: Samples) -> int:
        frames = sound.size // self._stream._channels  # noqa: SLF001 - it has no other word
        if self._output:
            self._stream.write(sound.tobytes(), frames)
        else:
            data = self._stream.read(frames, exception_on_overflow=False)
            sound[:] = np.frombuffer(data, np.float32)
        return 0
