"""Counts of what passed and what did not, per member and for the whole unit.

Numbers only: nothing here could tell who spoke with whom.
"""

from collections import Counter
from enum import Enum

from sidetone.protocol.voice_control import Stats
from sidetone.voice_sfu.domain.video_frame import Cut


class Drop(Enum):
    """Why a frame went nowhere."""

    SIZE = "size"
    FORMAT = "format"
    KIND = "kind"
    SENDER = "sender"
    SILENCED = "silenced"
    RATE = "rate"
    UNSEATED = "unseated"
    FLOOD = "flood"
    QUEUE = "queue"


class VideoMeter:
    """Sums of video, and of streams that were cut, coming in and going out."""

    def __init__(self) -> None:
        self.frames_in = 0
        self.bytes_in = 0
        self.frames_out = 0
        self.bytes_out = 0
        self.keyframes_asked = 0
        self.cut_in: Counter[Cut] = Counter()
        self.cut_out: Counter[Cut] = Counter()


class Meter:
    """Sums since the beginning."""

    def __init__(self) -> None:
        self.video = VideoMeter()
        self.frames_in = 0
        self.bytes_in = 0
        self.frames_out = 0
        self.bytes_out = 0
        self.drops: Counter[Drop] = Counter()
        self.joins = 0
        self.reported_received = 0
        self.reported_lost = 0
        self.reported_jitter_ms = 0.0

    def forwarded(self, length: int, listeners: int) -> None:
        """Count a frame of *length* bytes that went to *listeners*."""
        self.add(1, length, listeners, length * listeners)

    def add(self, frames_in: int, bytes_in: int, frames_out: int, bytes_out: int) -> None:
        """Add sums that were counted elsewhere."""
        self.frames_in += frames_in
        self.bytes_in += bytes_in
        self.frames_out += frames_out
        self.bytes_out += bytes_out

    def dropped(self, reason: Drop, count: int = 1) -> None:
        """Count frames that went nowhere, or not to one listener."""
        self.drops[reason] += count

    def reported(self, stats: Stats) -> None:
        """Take over what a member says of its own reception; negative numbers count as zero."""
        self.reported_received += max(0, stats.received)
        self.reported_lost += max(0, stats.lost)
        if 0 <= stats.jitter_ms < float("inf"):
            self.reported_jitter_ms = stats.jitter_ms
