"""A made-up voice that goes the whole way between two engines, while the real devices are open.

Processing, Opus, encryption, jitter buffer, mixing: all as in a call, but the network. Nothing is
played aloud; of what the microphone hears only the level is looked at.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final, Protocol, TypeVar

import numpy as np

from sidetone.audio import SAMPLE_RATE, AudioError, Samples
from sidetone.audio.devices import (
    MemoryDevice,
    Microphone,
    NullMicrophone,
    NullSpeaker,
    Speaker,
)
from sidetone.audio.engine import Engine
from sidetone.audio.priority import raise_priority
from sidetone.audio.quality import delays_ms
from sidetone.audio.sample_rings import Ring
from sidetone.audio.settings import Activation, Suppression, VoiceSettings
from sidetone.audio.sound_card import DeviceInfo, list_devices, open_microphone, open_speaker
from sidetone.audio.stream_layout import FILE
from sidetone.audio.tracks import Track
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.native.clock import now_ns

_TALKS, _HEARS = 0, 1
_CARRY_SECONDS: Final = 0.001
_LOOK_SECONDS: Final = 0.05
_SYLLABLES_PER_SECOND: Final = 4.0
_PITCH_HERTZ: Final = (90.0, 240.0)
_HARMONICS: Final = 24
_TRACK_SECONDS: Final = 30.0


@dataclass(slots=True)
class DeviceReport:
    """How the default microphone or loudspeaker fared; *problem* is one line, or empty.

    *level_db* is the loudest that a microphone heard; *missed* are stretches of 5 ms.
    """

    name: str = ""
    problem: str = ""
    direct: bool = False
    missed: int = 0
    xruns: int = 0
    level_db: float | None = None


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """How the voice fared; *delay_ms* is the median, None when it was not heard clearly."""

    seconds: float
    delay_ms: float | None
    lateness_ms: float
    packets_sent: int
    packets_received: int
    concealed_ms: float
    stretched_ms: float
    cpu_capture_us: float
    cpu_playback_us: float


@dataclass(slots=True)
class Report:
    """What was found out.

    *no_devices* says why none could be looked for, *priority* what an audio thread gets here,
    *failures* is what was told of devices in the middle of the test.
    """

    devices: list[DeviceInfo]
    no_devices: str
    priority: str
    microphone: DeviceReport
    loudspeaker: DeviceReport
    voice: VoiceReport
    failures: list[str]


class _Card(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def is_direct(self) -> bool: ...


_Opened = TypeVar("_Opened", bound=_Card)


def run(seconds: float) -> Report:
    """Test for *seconds*; devices that cannot be opened are replaced by silent ones."""
    failures: list[str] = []
    devices, no_devices = _look_for_devices()
    heard_by, microphone = _open(open_microphone)
    told_by, loudspeaker = _open(open_speaker)
    spoken, heard = Track(_TRACK_SECONDS), Track(_TRACK_SECONDS)
    ring = Ring(made_up_voice(min(seconds, _TRACK_SECONDS)), full=True, again=True)
    voice = MemoryDevice("the test voice", ring, policy=FILE, track=spoken)
    with ExitStack() as stack:
        talks = stack.enter_context(
            _running(_TALKS, voice, loudspeaker or NullSpeaker(), failures)
        )
        hears = stack.enter_context(
            _running(_HEARS, microphone or NullMicrophone(), NullSpeaker(track=heard), failures)
        )
        stack.enter_context(_wire(talks, hears))
        loudest_db = _loudest_db(hears, seconds)
        said, told = talks.stats(), hears.stats()
    heard_by.level_db = loudest_db if microphone is not None else None
    heard_by.missed, heard_by.xruns = told.missed_input, told.xruns_input
    told_by.missed, told_by.xruns = said.missed_output, said.xruns_output
    delays = delays_ms(spoken, heard)
    speaker = told.speakers.get(_TALKS)
    report = VoiceReport(
        seconds=seconds,
        delay_ms=median(delays) if delays else None,
        lateness_ms=said.lateness_ms,
        packets_sent=said.packets_sent,
        packets_received=speaker.received if speaker else 0,
        concealed_ms=speaker.concealed_ms if speaker else 0.0,
        stretched_ms=speaker.stretched_ms if speaker else 0.0,
        cpu_capture_us=said.cpu_capture_us,
        cpu_playback_us=told.cpu_playback_us,
    )
    return Report(devices, no_devices, _ask_priority(), heard_by, told_by, report, failures)


def made_up_voice(seconds: float) -> Samples:
    """Make up something like speech: a gliding pitch with overtones, in syllables.

    Gliding, so that no moment sounds like another and its delay can be told.
    """
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    low, high = _PITCH_HERTZ
    glide = 0.5 - 0.5 * np.cos(2 * np.pi * 0.31 * t) + 0.2 * np.sin(2 * np.pi * 1.7 * t)
    phase = 2 * np.pi * np.cumsum(low + (high - low) * np.clip(glide, 0, 1)) / SAMPLE_RATE
    tones = sum(np.sin(n * phase) / n for n in range(1, _HARMONICS + 1))
    syllables = np.clip(np.sin(2 * np.pi * _SYLLABLES_PER_SECOND * t), 0, 1) ** 0.5
    return (0.15 * tones * syllables).astype(np.float32)


def _look_for_devices() -> tuple[list[DeviceInfo], str]:
    try:
        return list_devices(), ""
    except AudioError as error:
        return [], str(error)


def _ask_priority() -> str:
    """Ask for an audio thread's priority, in a thread that ends with it."""
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(raise_priority().detail))
    thread.start()
    thread.join()
    return said[0] if said else "the system did not answer"


def _open(opens: Callable[[], _Opened]) -> tuple[DeviceReport, _Opened | None]:
    try:
        card = opens()
    except AudioError as error:
        return DeviceReport(problem=str(error)), None
    return DeviceReport(name=card.name, direct=card.is_direct), card


@contextmanager
def _running(
    own: int, microphone: Microphone, speaker: Speaker, failures: list[str]
) -> Generator[Engine]:
    engine = Engine(_keys(own), microphone, speaker, on_failure=failures.append)
    # What is made up is no speech, so nothing may take it for noise.
    engine.set_voice(VoiceSettings(activation=Activation.ALWAYS, suppression=Suppression.OFF))
    engine.set_sending(own == _TALKS)
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def _keys(own: int) -> AudioKeys:
    """Make an epoch of two, with keys that protect nothing: no sound leaves this process."""
    keys = AudioKeys(lambda ms: ms)
    chains = {sender: bytes((sender,)) * 32 for sender in (_TALKS, _HEARS)}
    keys.begin(0, own, chains, pads=False, seals_ms=range(2**62))
    return keys


@contextmanager
def _wire(source: Engine, target: Engine) -> Generator[None]:
    """Carry frames from one engine to the other, as the network would."""
    stopping = threading.Event()

    def carry() -> None:
        while not stopping.wait(_CARRY_SECONDS):
            for frame in source.take_sent():
                target.receive(frame, now_ns())

    thread = threading.Thread(target=carry, name="self-test-wire", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _loudest_db(engine: Engine, seconds: float) -> float:
    """Watch a microphone's level for *seconds*; returns the highest."""
    loudest = engine.level_db
    pause = threading.Event()
    until_ns = now_ns() + int(seconds * 1e9)
    while now_ns() < until_ns:
        pause.wait(_LOOK_SECONDS)
        loudest = max(loudest, engine.level_db)
    return loudest
