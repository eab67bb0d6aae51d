"""A listener of one speaker for the tests: a jitter buffer in virtual time, and what arrives."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from sidetone.audio import HOP_MS, HOP_SAMPLES, Samples, codec, jitter
from sidetone.audio.jitter import JITTER, JitterStats
from sidetone.native import Record, records
from tests.load.quality_network import ideal

CLEAN_TARGET_MS = 12.0
Arrival = tuple[float, int, int, bytes, bool]
"""When in ms, epoch, counter, opus, end."""


@dataclass
class Listener:
    """A jitter buffer that is pulled at 3, 8, 13 ... ms."""

    buffer: Record = field(default_factory=lambda: records(JITTER, 1)[0])
    decoders: np.ndarray = field(default_factory=lambda: codec.new_decoders(1))

    def __post_init__(self) -> None:
        jitter.reset(self.buffer, self.decoders[0].ctypes.data)

    @property
    def stats(self) -> JitterStats:
        return jitter.snapshot(self.buffer)

    def push(self, arrival: Arrival) -> None:
        at_ms, epoch, counter, opus, end = arrival
        packet = np.frombuffer(opus, np.uint8).copy()
        jitter.push(self.buffer, packet, epoch, counter, end, int(at_ms * 1e6))

    def pull(self, now_ms: float) -> Samples:
        out = np.full(HOP_SAMPLES, 9, np.float32)
        spoke = jitter.pull(self.buffer, out, int(now_ms * 1e6))
        assert spoke or not out.any()
        return out

    def play(self, arrivals: Iterable[Arrival], until_ms: int, from_ms: int = 0) -> Samples:
        waiting = sorted(a for a in arrivals if a[0] > from_ms - HOP_MS + 3)
        heard: list[Samples] = []
        for now_ms in range(from_ms + 3, until_ms, HOP_MS):
            while waiting and waiting[0][0] <= now_ms:
                self.push(waiting.pop(0))
            heard.append(self.pull(now_ms))
        return np.concatenate(heard)


def perfect(packets: list[bytes], frame_samples: int = 480) -> Samples:
    arrays = [np.frombuffer(packet, np.uint8) for packet in packets]
    sound = ideal([a.copy() for a in arrays], np.zeros(len(arrays), bool), frame_samples)
    return sound[: len(packets) * frame_samples]


def punctual(packets: list[bytes], begin: int = 0, frame_ms: float = 10.0) -> list[Arrival]:
    last = len(packets) - 1
    return [(frame_ms * n, 0, n + begin, opus, n == last) for n, opus in enumerate(packets)]


def heard(sound: Samples, like: Samples) -> bool:
    """Say whether *like* occurs in *sound* sample by sample, at a whole number of hops."""
    for at in range(0, sound.size - like.size + 1, HOP_SAMPLES):
        if np.array_equal(sound[at : at + like.size], like):
            return True
    return False


def losing(packets: list[bytes], every: int, frame_ms: float = 10.0) -> list[Arrival]:
    return [a for n, a in enumerate(punctual(packets, frame_ms=frame_ms)) if n % every != 7]
