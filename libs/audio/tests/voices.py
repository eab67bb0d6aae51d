"""Speakers and listeners without threads: hops in, sealed frames out, and back."""

from dataclasses import dataclass

import numpy as np

from sidetone.audio import HOP_NS, HOP_SAMPLES, Samples
from sidetone.audio.capture import capture_hop
from sidetone.audio.memory import CaptureMemory, PlaybackMemory, SideRings
from sidetone.audio.playback import play_hop
from sidetone.audio.rings import put_bytes
from sidetone.e2ee.aead import PlainFrameKey
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.e2ee.frames import Header, parse_header
from sidetone.e2ee.media import Chain

SENDERS = 100
BEGIN_NS = 10**9


def chain_of(sender: int) -> bytes:
    return bytes((sender,)) * 32


def keys(own: int, epoch: int = 0) -> AudioKeys:
    table = AudioKeys(lambda ms: ms)
    begin(table, own, epoch)
    return table


def begin(table: AudioKeys, own: int, epoch: int) -> None:
    chains = {sender: chain_of(sender) for sender in range(SENDERS)}
    table.begin(epoch, own, chains, pads=False, seals_ms=range(2**62))


def tone(hops: int, amplitude: float = 0.2, hertz: float = 300) -> Samples:
    t = np.arange(hops * HOP_SAMPLES) / 48_000
    return (amplitude * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def silence(hops: int) -> Samples:
    return np.zeros(hops * HOP_SAMPLES, np.float32)


@dataclass(frozen=True)
class Said:
    """A frame that was sent: sealed, and what is in it."""

    wire: bytes
    at_ns: int
    header: Header
    opus: bytes


class Voice:
    """A speaker: takes hops as the capturing thread would."""

    def __init__(self, sender: int = 1) -> None:
        self.sender = sender
        self.memory = CaptureMemory(keys(sender), SideRings())
        self.control, self.processing = self.memory.control, self.memory.processing
        self.control.sends = 1
        self.control.bitrate, self.control.complexity_max = 64_000, 5
        self.control.frame_samples = 480
        self.processing.suppression = 0
        self.now_ns = BEGIN_NS
        self._key = PlainFrameKey(Chain(chain_of(sender)).frame_key(0))

    def say(self, sound: Samples) -> list[Said]:
        said: list[Said] = []
        for hop in sound.reshape(-1, HOP_SAMPLES):
            self.control.hop[:] = hop
            capture_hop(self.memory.parts, self.now_ns)
            self.now_ns += HOP_NS
            said += self._sent()
        return said

    def _sent(self) -> list[Said]:
        said: list[Said] = []
        for slot in self.memory.sent.drain():
            wire = slot.frame[: slot.length].tobytes()
            header, opus = parse_header(wire), self._key.open(wire)
            assert header is not None
            assert opus is not None
            assert header.sender == self.sender
            said.append(Said(wire, int(slot.at_ns), header, opus))
        return said


class Ear:
    """A listener: takes frames, and plays hops as the playing thread would."""

    def __init__(self, own: int = 0) -> None:
        self.keys = keys(own)
        self.memory = PlaybackMemory(self.keys, SideRings())
        self.control = self.memory.control
        self.now_ns = BEGIN_NS

    def take(self, wire: bytes, at_ns: int | None = None) -> None:
        arrival_ns = self.now_ns if at_ns is None else at_ns
        put_bytes(self.memory.arrived.slots, self.memory.arrived.words, wire, arrival_ns)

    def hop(self) -> tuple[Samples, Samples]:
        play_hop(self.memory.parts, self.now_ns)
        self.now_ns += HOP_NS
        return self.control.left.copy(), self.control.right.copy()

    def hear(self, said: list[list[Said]]) -> Samples:
        """Hear several speakers, each one's frames in time; the sound of the left side."""
        out: list[Samples] = []
        waiting = [list(each) for each in said]
        last_ns = max(each[-1].at_ns for each in waiting)
        hops = (last_ns - self.now_ns) // HOP_NS + 4
        for _ in range(hops):
            for frames in waiting:
                while frames and frames[0].at_ns + 2 * HOP_NS <= self.now_ns:
                    self.take(frames.pop(0).wire)
            out.append(self.hop()[0])
        return np.concatenate(out)

    def active(self) -> list[int]:
        return [int(each.sender) for each in self.memory.speakers if each.active]
