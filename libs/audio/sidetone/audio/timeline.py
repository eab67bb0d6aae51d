"""Where in a recording the packets of one speaker belong. Pure; positions in samples at 48 kHz.

Within a talkspurt the counters say it: packets follow each other without a gap, however unevenly
they arrive. How long the pause before a talkspurt was, only arrivals tell: it is placed by the
earliest of its first packets, less the time that those before it take. Packets are held back for
300 ms, so that those out of order find their place.
"""

from dataclasses import dataclass
from typing import Final

from sidetone.audio import SAMPLE_RATE
from sidetone.audio.opus_packets import STEP_SAMPLES, packet_samples

HOLD_NS: Final = 300_000_000
APART_SAMPLES: Final = SAMPLE_RATE * 240 // 1000
"""Where counters and arrivals disagree by more, a talkspurt began anew and its sign was lost."""
WAITING_MAX: Final = 512

_PAUSE_NS: Final = 2_000_000_000
_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Spoken:
    """An Opus packet of one speaker, in the clear.

    *counter* rises by one per packet in each *epoch*; *at_ns* is when the packet was here, on the
    monotonic clock; *end* marks the last one of a talkspurt.
    """

    epoch: int
    counter: int
    at_ns: int
    end: bool
    opus: bytes


class Timeline:
    """Puts one speaker's packets in order and gives each its position; *begun_ns* is zero."""

    def __init__(self, begun_ns: int) -> None:
        self.dropped = 0
        self._begun_ns = begun_ns
        self._waiting: dict[tuple[int, int], Spoken] = {}
        self._stretches: dict[int, tuple[int, int]] = {}
        self._count = 0
        self._last = (-1, -1)
        self._last_samples = 0
        self._ended = True
        self._end_samples = 0

    def push(self, packet: Spoken) -> None:
        """Take a packet in; a duplicate, one out of time and one that is no Opus are counted."""
        place = (self._stretch(packet), packet.counter)
        full = len(self._waiting) >= WAITING_MAX
        known = place <= self._last or place in self._waiting
        early = packet.at_ns < self._begun_ns
        if full or known or early or not packet_samples(packet.opus):
            self.dropped += 1
        else:
            self._waiting[place] = packet

    def due(self, now_ns: int) -> list[tuple[int, bytes]]:
        """Return the packets that were held long enough, each with its position, in order."""
        return self._placed(now_ns - HOLD_NS)

    def rest(self) -> list[tuple[int, bytes]]:
        """Return everything that is still held back."""
        return self._placed(None)

    def _stretch(self, packet: Spoken) -> int:
        """Return the number of the packet's epoch, counted as they came.

        A new group numbers its epochs anew, so one that comes again after a pause is another one.
        """
        number, seen_ns = self._stretches.get(packet.epoch, (0, 0))
        if number == 0 or packet.at_ns - seen_ns > _PAUSE_NS:
            self._count += 1
            number = self._count
        oldest_ns = packet.at_ns - _PAUSE_NS
        self._stretches = {
            epoch: (each, at_ns)
            for epoch, (each, at_ns) in self._stretches.items()
            if at_ns >= oldest_ns
        }
        self._stretches[packet.epoch] = (number, packet.at_ns)
        return number

    def _placed(self, until_ns: int | None) -> list[tuple[int, bytes]]:
        placed: list[tuple[int, bytes]] = []
        for place in sorted(self._waiting):
            packet = self._waiting[place]
            if until_ns is not None and packet.at_ns > until_ns:
                break
            at_samples = self._position(place, packet)
            del self._waiting[place]
            self._last = place
            self._last_samples = packet_samples(packet.opus)
            self._ended = packet.end
            self._end_samples = at_samples + self._last_samples
            placed.append((at_samples, packet.opus))
        return placed

    def _position(self, place: tuple[int, int], packet: Spoken) -> int:
        stretch, counter = place
        arrived = self._arrived(packet)
        if stretch == self._last[0] and not self._ended:
            missing = counter - self._last[1] - 1
            counted = self._end_samples + missing * self._last_samples
            if abs(counted - arrived) <= APART_SAMPLES:
                return counted
        return max(self._earliest(place, packet), self._end_samples)

    def _earliest(self, place: tuple[int, int], packet: Spoken) -> int:
        """Place a first packet by whichever arrival of its talkspurt was the least delayed."""
        stretch, counter = place
        before = 0
        found = self._arrived(packet)
        while not packet.end:
            before += packet_samples(packet.opus)
            counter += 1
            following = self._waiting.get((stretch, counter))
            if following is None:
                break
            packet = following
            found = min(found, self._arrived(packet) - before)
        return found

    def _arrived(self, packet: Spoken) -> int:
        """Return where a packet began if it was not delayed, in whole steps of 2.5 ms."""
        end = (packet.at_ns - self._begun_ns) * SAMPLE_RATE // _NS
        return (end - packet_samples(packet.opus)) // STEP_SAMPLES * STEP_SAMPLES
