"""What the audio tests share: real speech, and a network in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from sidetone.audio import FRAME_SAMPLES, Samples
from sidetone.audio.capture import CaptureChain, Packet
from sidetone.audio.devices import read_wav
from sidetone.audio.jitter import JitterStats
from sidetone.audio.playback import PlaybackChain
from sidetone.audio.tracks import Track

SPEECH = Path(__file__).parents[3] / "services/all_in_one/sidetone/all_in_one/demo/speech"
SENDER = 7


@pytest.fixture(scope="session")
def speech() -> Path:
    return SPEECH


@pytest.fixture(scope="session")
def ada() -> Samples:
    return read_wav(SPEECH / "ada.wav")


@pytest.fixture(scope="session")
def ben() -> Samples:
    return read_wav(SPEECH / "ben.wav")


@dataclass
class Network:
    """A seeded bad link: times in ms, shares from 0 to 1, an epoch of so many packets."""

    loss: float = 0.0
    jitter_ms: float = 0.0
    duplicates: float = 0.0
    drift: float = 0.0
    epoch_packets: int = 1 << 30
    seed: int = 1

    def carry(self, sent: list[tuple[float, Packet]]) -> list[tuple[float, int, int, Packet]]:
        """Return (arrival_ms, epoch, counter, packet) in order of arrival."""
        rng = np.random.default_rng(self.seed)
        arrivals: list[tuple[float, int, int, Packet]] = []
        for n, (sent_ms, packet) in enumerate(sent):
            epoch, counter = divmod(n, self.epoch_packets)
            if rng.random() < self.loss:
                continue
            for _ in range(1 + int(rng.random() < self.duplicates)):
                late_ms = 2.0 + rng.exponential(self.jitter_ms) if self.jitter_ms else 2.0
                arrivals.append((sent_ms + late_ms, epoch, counter, packet))
        return sorted(arrivals, key=lambda arrival: arrival[0])


@dataclass
class Call:
    """What came of one voice that was sent over a network and played."""

    sent: int
    stats: JitterStats
    spoken: Track = field(repr=False)
    heard: Track = field(repr=False)
    targets_ms: list[float] = field(default_factory=list, repr=False)


Caller = Callable[[Samples, Network], Call]


def _call(voice: Samples, network: Network) -> Call:
    """Speak *voice* through capture, network and playback in virtual time."""
    capture, spoken, heard = CaptureChain(), Track(600), Track(600)
    stats, targets = JitterStats(), []
    sent: list[tuple[float, Packet]] = []
    frames = voice[: voice.size // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    frame_ms = 10 * (1 + network.drift)
    for n, frame in enumerate(frames):
        begun_ms = n * frame_ms
        spoken.append(frame, int(begun_ms * 1e6))
        sent += [(begun_ms + frame_ms, packet) for packet in capture.process(frame)]
    arrivals = network.carry(sent)
    playback = PlaybackChain(lambda _sender, frame, now_ms: heard.append(frame, int(now_ms * 1e6)))
    at = 0
    for tick in range(len(frames) + 30):
        now_ms = 10.0 * tick + 3.7
        while at < len(arrivals) and arrivals[at][0] <= now_ms:
            arrival_ms, epoch, counter, packet = arrivals[at]
            playback.push(
                SENDER, epoch, counter, packet.opus, end=packet.end, arrival_ms=arrival_ms
            )
            at += 1
        playback.tick(now_ms)
        stats = playback.stats().get(SENDER, stats)
        targets.append(stats.target_ms)
    return Call(len(sent), stats, spoken, heard, targets)


@pytest.fixture(scope="session")
def call() -> Caller:
    return _call
