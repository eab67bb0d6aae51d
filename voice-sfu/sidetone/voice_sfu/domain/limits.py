"""How much one connection may send: token buckets for what is normal, a counter for floods.

Times are seconds of any monotonic clock.
"""

from enum import Enum

import msgspec

from sidetone.e2ee.frames import VIDEO_LENGTH_MAX

FLOOD_FACTOR = 10
FLOOD_SECONDS = 5
_BURST_SECONDS = 1.0


class Verdict(Enum):
    """What becomes of one arrival."""

    PASS = "pass"  # noqa: S105
    DROP = "drop"
    CLOSE = "close"


class Rates(msgspec.Struct, frozen=True):
    """What each connection may send in media; the same is told to clients in ``Welcome``."""

    packets_per_second: int = 250
    bits_per_second: int = 400_000


class VideoRates(msgspec.Struct, frozen=True):
    """What each connection may send in video, with the permission; told in ``Welcome`` too.

    All spatial layers count: 120 frames are two layers of a screen at 60 a second.
    """

    frames_per_second: int = 120
    bits_per_second: int = 8_000_000


class TokenBucket:
    """Lets through *rate* a second on average, and *burst* at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at: float | None = None

    def take(self, cost: float, now: float) -> bool:
        """Pay *cost* tokens, or pay nothing and return False."""
        if self._at is not None:
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True


class Flood:
    """Notices *amount_max* a second or more in each of five seconds on end."""

    def __init__(self, amount_max: float) -> None:
        self._amount_max = amount_max
        self._second = -1
        self._amount = 0.0
        self._seconds = 0

    def arrived(self, amount: float, now: float) -> Verdict:
        """Count *amount*: ``DROP`` beyond the limit in this second, ``CLOSE`` after five."""
        second = int(now)
        if second != self._second:
            full = self._amount >= self._amount_max and second == self._second + 1
            self._seconds = self._seconds + 1 if full else 0
            self._second, self._amount = second, 0.0
        self._amount += amount
        if self._amount < self._amount_max:
            return Verdict.PASS
        return Verdict.CLOSE if self._seconds >= FLOOD_SECONDS - 1 else Verdict.DROP

    def excuse(self, amount: float) -> None:
        """Allow *amount* more in this second."""
        self._amount -= amount


class MediaAllowance:
    """What one member may send in frames: above the rates they drop, far above it is a flood."""

    def __init__(self, rates: Rates) -> None:
        packets, bits = rates.packets_per_second, rates.bits_per_second
        self._packets = TokenBucket(packets, packets * _BURST_SECONDS)
        self._bits = TokenBucket(bits, bits * _BURST_SECONDS)
        self._floods = (Flood(packets * FLOOD_FACTOR), Flood(bits * FLOOD_FACTOR))

    def take(self, length: int, now: float) -> Verdict:
        """Judge a frame of *length* bytes."""
        bits = length * 8
        packet_flood, bit_flood = self._floods
        verdicts = (packet_flood.arrived(1, now), bit_flood.arrived(bits, now))
        if Verdict.CLOSE in verdicts:
            return Verdict.CLOSE
        if self._packets.take(1, now) and self._bits.take(bits, now):
            return Verdict.PASS
        return Verdict.DROP


class VideoAllowance:
    """What one member may send in video frames, above the rates and far above as for sound.

    Bytes are judged as they come, so a burst has room for the largest frame and its successors.
    """

    def __init__(self, rates: VideoRates) -> None:
        frames, bits = rates.frames_per_second, rates.bits_per_second
        self._frames = TokenBucket(frames, max(1, frames * _BURST_SECONDS))
        self._bits = TokenBucket(bits, bits * _BURST_SECONDS + 8 * VIDEO_LENGTH_MAX)
        self._frame_flood = Flood(frames * FLOOD_FACTOR)
        self._bit_flood = Flood(bits * FLOOD_FACTOR)

    def take_frame(self, now: float) -> Verdict:
        """Judge a frame that begins."""
        verdict = self._frame_flood.arrived(1, now)
        if verdict is Verdict.PASS and not self._frames.take(1, now):
            return Verdict.DROP
        return verdict

    def take_bytes(self, count: int, now: float) -> Verdict:
        """Judge *count* bytes of a frame."""
        verdict = self._bit_flood.arrived(count * 8, now)
        if verdict is Verdict.PASS and not self._bits.take(count * 8, now):
            return Verdict.DROP
        return verdict


class ControlAllowance:
    """What one member may say on the control stream, where nothing can be dropped.

    A committer of two hundred members says 10 KiB a second at most.
    """

    MESSAGES_PER_SECOND = 20
    MESSAGES_BURST = 60
    BYTES_PER_SECOND = 64 * 1024
    BYTES_BURST = 256 * 1024

    def __init__(self) -> None:
        self._messages = TokenBucket(self.MESSAGES_PER_SECOND, self.MESSAGES_BURST)
        self._bytes = TokenBucket(self.BYTES_PER_SECOND, self.BYTES_BURST)

    def take_bytes(self, count: int, now: float) -> bool:
        """Judge *count* bytes that arrived."""
        return self._bytes.take(count, now)

    def take_message(self, now: float) -> bool:
        """Judge one message."""
        return self._messages.take(1, now)
