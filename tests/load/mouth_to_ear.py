"""How long sound takes from mouth to ear: `python -m tests.load.mouth_to_ear`.

Chirps are played into a virtual microphone and looked for in what a virtual loudspeaker plays, by
cross-correlation. The devices alone are measured first, with a loop that copies hops from one to
the other; what the whole chain adds to that is what is ours. In both the loops have the priority
that a call's threads have.
"""

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from select import select
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import HOP_SAMPLES, SAMPLE_RATE, Samples, sample_rings, sound_card
from sidetone.audio.devices import NullMicrophone, NullSpeaker
from sidetone.audio.engine import Engine
from sidetone.audio.priority import raise_priority
from sidetone.audio.sample_rings import RING, Ring
from sidetone.audio.settings import Activation, VoiceSettings
from sidetone.audio.stream_layout import STREAM
from sidetone.audio.streams import read_hop, write_hop
from sidetone.native import Record, atomics, kernel, signature
from sidetone.native.atomics import write_word
from sidetone.native.clock import now_ns
from tests.load.audio_stage import keys
from tests.sound_server import EAR_MONITOR, MOUTH_MONITOR, SoundServer

CHIRPS = 40
CHIRP_SAMPLES = 1440
_SPACING_SAMPLES = SAMPLE_RATE // 2
_SETTLE_SECONDS = 3.0
_REACH_SECONDS = 0.4
_CLEAR = 0.5
_RING_HOPS_MAX = 4


@kernel(signature("int64", STREAM, RING, "int64[::1]", "float32[::1]"), release=True)
def copy_in(stream: Record, ring: Record, stopping: NDArray[np.int64], hop: Samples) -> int:
    """Put what the microphone hears into the ring."""
    while atomics.load(stopping, 0) == 0:
        code = read_hop(stream, hop)
        if code < 0:
            return code
        sample_rings.put(ring, hop, HOP_SAMPLES)
    return 0


@kernel(signature("int64", STREAM, RING, "int64[::1]", "float32[::1]"), release=True)
def copy_out(stream: Record, ring: Record, stopping: NDArray[np.int64], hop: Samples) -> int:
    """Play what is in the ring, but no more than 20 ms of it."""
    while atomics.load(stopping, 0) == 0:
        while sample_rings.waiting(ring) > _RING_HOPS_MAX * HOP_SAMPLES:
            sample_rings.skip(ring, HOP_SAMPLES)
        sample_rings.take(ring, hop, HOP_SAMPLES)
        code = write_hop(stream, hop, hop)
        if code < 0:
            return code
    return 0


@contextmanager
def pass_through() -> Generator[None]:
    """Carry hops from the microphone to the loudspeaker and do nothing to them."""
    microphone, speaker = sound_card.open_microphone(), sound_card.open_speaker()
    ring, stopping = Ring(np.zeros(SAMPLE_RATE, np.float32)), np.zeros(8, np.int64)

    def run(copy: Callable[..., int], stream: Record) -> None:
        raise_priority()
        copy(stream, ring.record, stopping, np.zeros(HOP_SAMPLES, np.float32))

    threads = [
        threading.Thread(target=run, args=(copy_in, microphone.stream)),
        threading.Thread(target=run, args=(copy_out, speaker.stream)),
    ]
    for thread in threads:
        thread.start()
    yield
    write_word(stopping, 0, 1)
    for thread in threads:
        thread.join()
    microphone.close()
    speaker.close()


@contextmanager
def whole_chain() -> Generator[None]:
    """Let one member of a call talk and another one listen, without a network between them."""
    talks = Engine(keys(1, 1), sound_card.open_microphone(), NullSpeaker(), on_failure=print)
    hears = Engine(keys(0, 1), NullMicrophone(), sound_card.open_speaker(), on_failure=print)
    talks.set_voice(VoiceSettings(activation=Activation.ALWAYS, frame_ms=10))
    talks.set_sending(True)
    stopping = threading.Event()

    def carry() -> None:
        while not stopping.is_set():
            if select([talks.wake_fd], [], [], 0.1)[0]:
                os.read(talks.wake_fd, 8)
            for frame in talks.take_sent():
                hears.receive(frame, now_ns())

    wire = threading.Thread(target=carry)
    for part in (talks, hears, wire):
        part.start()
    yield
    stopping.set()
    wire.join()
    talks.stop()
    hears.stop()


@dataclass(slots=True)
class Recording:
    """What a monitor played, and when each piece of it arrived."""

    sound: Samples
    begun_seconds: float


def record(process: "subprocess.Popen[bytes]", seconds: float) -> Recording:
    """Record for so long; the beginning is told by the pieces that came fastest."""
    assert process.stdout is not None
    data, begins = bytearray(), []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data += os.read(process.stdout.fileno(), 65_536)
        begins.append(time.monotonic() - len(data) / 4 / SAMPLE_RATE)
    process.terminate()
    fastest = np.sort(begins[len(begins) // 10 :])[: len(begins) // 5]
    return Recording(np.frombuffer(bytes(data), "<f4"), float(np.median(fastest)))


def chirp() -> Samples:
    """Return 30 ms from 400 to 3500 Hz."""
    t = np.arange(CHIRP_SAMPLES) / SAMPLE_RATE
    sweep = np.sin(2 * np.pi * (400 * t + (3100 / (2 * t[-1])) * t * t))
    return (0.4 * sweep * np.hanning(CHIRP_SAMPLES)).astype(np.float32)


def train() -> Samples:
    """Return chirps about half a second apart, off the grid of any buffer."""
    sound = np.zeros((CHIRPS + 2) * _SPACING_SAMPLES, np.float32)
    jitter = np.random.default_rng(1).integers(0, SAMPLE_RATE // 50, CHIRPS)
    for n, late in enumerate(jitter):
        at = (n + 1) * _SPACING_SAMPLES + int(late)
        sound[at : at + CHIRP_SAMPLES] = chirp()
    return sound


def likeness(sound: Samples) -> NDArray[np.float64]:
    """Return for every place how well the chirp is found there, 0 to 1."""
    size = 1 << (sound.size + CHIRP_SAMPLES).bit_length()
    pattern = chirp().astype(np.float64)
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(pattern, size))
    cross = np.abs(np.fft.irfft(product, size)[: sound.size - CHIRP_SAMPLES])
    energy = np.cumsum(np.concatenate(([0.0], sound.astype(np.float64) ** 2)))
    energy = energy[CHIRP_SAMPLES:-1] - energy[: -CHIRP_SAMPLES - 1]
    return cross / (np.sqrt(np.maximum(energy, 1e-6)) * np.linalg.norm(pattern))


def places(recording: Recording) -> NDArray[np.float64]:
    """Return when chirps were heard, in seconds of the monotonic clock."""
    score = likeness(recording.sound)
    found: list[float] = []
    at = 0
    while at < score.size:
        if score[at] < _CLEAR:
            at += 1
            continue
        best = at + int(np.argmax(score[at : at + CHIRP_SAMPLES]))
        found.append(recording.begun_seconds + best / SAMPLE_RATE)
        at = best + _SPACING_SAMPLES // 2
    return np.array(found)


def delays_ms(server: SoundServer) -> NDArray[np.float64]:
    """Play the chirps and return how long each took; those that were not found are left out."""
    time.sleep(_SETTLE_SECONDS)
    recordings: dict[str, Recording] = {}
    seconds = train().size / SAMPLE_RATE + 1

    def listen(source: str) -> None:
        with server.record(source) as process:
            recordings[source] = record(process, seconds)

    monitors = [
        threading.Thread(target=listen, args=(source,)) for source in (MOUTH_MONITOR, EAR_MONITOR)
    ]
    for monitor in monitors:
        monitor.start()
    with server.play(train()):
        for monitor in monitors:
            monitor.join()
    said, heard = places(recordings[MOUTH_MONITOR]), places(recordings[EAR_MONITOR])
    delays = [
        float(after[0] - at) * 1000
        for at in said
        if (after := heard[(heard > at) & (heard < at + _REACH_SECONDS)]).size
    ]
    assert len(delays) > CHIRPS // 2, f"of {len(said)} chirps {len(delays)} were heard"
    return np.array(delays)


def measure() -> dict[str, Any]:
    """Return delays in milliseconds: of the devices alone, the whole chain, and what it adds."""
    with ExitStack() as stack:
        server = SoundServer()
        stack.callback(server.stop)
        stack.enter_context(server.chosen())
        with pass_through():
            alone = delays_ms(server)
        with whole_chain():
            whole = delays_ms(server)
    figures: dict[str, Any] = {"chirps_heard": [alone.size, whole.size]}
    for name, share in (("p50", 50), ("p95", 95)):
        passing, chain = np.percentile(alone, share), np.percentile(whole, share)
        figures[f"pass_through_{name}_ms"] = round(float(passing), 1)
        figures[f"mouth_to_ear_{name}_ms"] = round(float(chain), 1)
        figures[f"mouth_to_ear_added_{name}_ms"] = round(float(chain - passing), 1)
    return figures


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
