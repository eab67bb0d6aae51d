"""Speakers and a listener in virtual time: what the audio benches and soaks run kernels on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sidetone.audio import HOP_NS, HOP_SAMPLES, Samples
from sidetone.audio.capture import CAPTURE_PARTS, CaptureParts, capture_hop
from sidetone.audio.devices import read_wav
from sidetone.audio.memory import CaptureMemory, PlaybackMemory, SideRings
from sidetone.audio.playback import PLAYBACK_PARTS, PlaybackParts, play_hop
from sidetone.audio.rings import FRAME_SLOT, PUT, Ring, has_room, put_one
from sidetone.audio.settings import Activation, Suppression
from sidetone.e2ee.audio_keys import AudioKeys
from sidetone.native import Records, kernel, signature

BEGIN_NS = 1_000_000_000
_SPEECH = Path("services/all_in_one/sidetone/all_in_one/demo/speech")


def speech() -> Samples:
    """Return half a minute of two voices, one after the other, in whole hops."""
    sound = np.concatenate([read_wav(_SPEECH / f"{name}.wav") for name in ("ada", "ben")])
    return np.ascontiguousarray(sound[: sound.size // HOP_SAMPLES * HOP_SAMPLES])


def keys(own: int, senders: int) -> AudioKeys:
    """Return the keys of member *own* in a group of *senders*, 1 and up, and the listener 0."""
    table = AudioKeys(lambda ms: ms)
    chains = {sender: bytes((sender + 1,)) * 32 for sender in range(senders + 1)}
    table.begin(0, own, chains, pads=False, seals_ms=range(2**62))
    return table


def speaker(
    sender: int, senders: int, *, suppression: Suppression, frames: int
) -> tuple[CaptureMemory, CaptureParts, Ring]:
    """Return a speaker whose gate is open, and a ring with room for so many of their frames."""
    memory = CaptureMemory(keys(sender, senders), SideRings())
    memory.control.sends = 1
    memory.control.bitrate, memory.control.complexity_max = 64_000, 10
    memory.control.frame_samples, memory.control.loss_percent = 480, 0
    memory.processing.activation = int(Activation.ALWAYS)
    memory.processing.suppression = int(suppression)
    memory.processing.gain_control = 1
    ring = Ring(FRAME_SLOT, frames)
    return memory, memory.parts._replace(sent=ring.slots, sent_words=ring.words), ring


def listener(senders: int) -> PlaybackMemory:
    """Return the listener of all these speakers."""
    return PlaybackMemory(keys(0, senders), SideRings())


@kernel(signature("void", CAPTURE_PARTS, "float32[::1]", "int64"))
def say(parts: CaptureParts, sound: Samples, begin_ns: int) -> None:
    """Take *sound* through the capturing thread's chain, hop by hop, from *begin_ns* on.

    With a ring that is full, frames are made and thrown away.
    """
    for hop in range(sound.size // HOP_SAMPLES):
        for at in range(HOP_SAMPLES):
            parts.capture.hop[at] = sound[hop * HOP_SAMPLES + at]
        capture_hop(parts, begin_ns + hop * HOP_NS)


@kernel(signature("void", PLAYBACK_PARTS, [FRAME_SLOT], "int64[::1]", "int64", "int64", "int64"))
def listen(
    parts: PlaybackParts,
    stock: Records,
    next_of: NDArray[np.int64],
    begin_ns: int,
    hops: int,
    delay_ns: int,
) -> None:
    """Play *hops* from *begin_ns* on, giving each speaker's frames *delay_ns* after their time.

    *stock* holds the frames of all speakers one speaker after the other, equally many of each;
    *next_of* is where each one is in theirs.
    """
    frames = stock.size // next_of.size
    for hop in range(hops):
        now = begin_ns + hop * HOP_NS
        for speaker in range(next_of.size):
            while next_of[speaker] < frames:
                slot = stock[speaker * frames + next_of[speaker]]
                if slot.at_ns + delay_ns > now or not has_room(
                    parts.arrived_words, parts.arrived.size
                ):
                    break
                place = parts.arrived[parts.arrived_words[PUT] % parts.arrived.size]
                place.at_ns, place.length = slot.at_ns + delay_ns, slot.length
                for at in range(slot.length):
                    place.frame[at] = slot.frame[at]
                put_one(parts.arrived_words)
                next_of[speaker] += 1
        play_hop(parts, now)
