"""Copies of a call's packets, left in the clear by the audio threads for a recording."""

from typing import Final

from sidetone.audio import SAMPLE_RATE
from sidetone.audio.memory import CaptureMemory, PlaybackMemory
from sidetone.audio.timeline import Spoken
from sidetone.native import Record

OWN: Final = -1
"""The sender of our own packets."""

_NS: Final = 1_000_000_000


def copy_packets(capture: CaptureMemory, playback: PlaybackMemory, *, wanted: bool) -> None:
    """Have copies of all packets left, or no more; more than 1,024 that wait are lost."""
    for memory in (capture, playback):
        memory.control.copies_packets = int(wanted)


def take_copies(capture: CaptureMemory, playback: PlaybackMemory) -> list[tuple[int, Spoken]]:
    """Take what was left since the last time, each with its sender, or `OWN`."""
    slots = [*playback.packets.drain(), *capture.packets.drain()]
    return [(int(slot.sender), _spoken(slot)) for slot in slots]


def _spoken(slot: Record) -> Spoken:
    """Read a copy; our own packets carry when they began, the others' when they were here."""
    lasts_ns = int(slot.samples) * _NS // SAMPLE_RATE if slot.sender == OWN else 0
    return Spoken(
        int(slot.epoch),
        int(slot.counter),
        int(slot.at_ns) + lasts_ns,
        end=bool(slot.end),
        opus=slot.opus[: slot.length].tobytes(),
    )
