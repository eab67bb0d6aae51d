"""What a call can tell about its quality."""

from collections import Counter
from dataclasses import dataclass, field

from sidetone.audio.engine import EngineStats
from sidetone.audio.jitter import JitterStats
from sidetone.protocol.ids import UserId
from sidetone.protocol.voice_control import Stats


@dataclass(slots=True)
class JoinSteps:
    """Milliseconds from the click to each step of the present connection's join."""

    ticket_ms: float | None = None
    connected_ms: float | None = None
    welcome_ms: float | None = None
    epoch_ms: float | None = None
    first_audio_ms: float | None = None


@dataclass(slots=True)
class Tally:
    """What a call counts over all its connections, by code where something was refused."""

    opened: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    not_sent: Counter[str] = field(default_factory=Counter[str])
    datagrams_dropped: int = 0
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class CallStats:
    """A moment of a call; counts run from its beginning.

    *peers* are those heard in the last seconds, *frames_refused* (of others and by the room) and
    *frames_not_sent* are by code, *rtt_ms* is to the voice node. *loss_reported_percent* is what
    the worst listener loses of us, None before anybody has told.
    """

    peers: dict[UserId, JitterStats]
    engine: EngineStats
    rtt_ms: float | None
    loss_reported_percent: float | None
    frames_opened: int
    frames_refused: dict[str, int]
    frames_not_sent: dict[str, int]
    datagrams_dropped: int
    reconnects: int


class ReceptionReports:
    """Turns running counts per speaker into what happened since the last report."""

    def __init__(self) -> None:
        self._before: dict[int, tuple[int, int]] = {}

    def next(self, speakers: dict[int, JitterStats]) -> Stats | None:
        """Return the report of this interval, or None if nobody was heard in it."""
        now = {sender: (stats.received, stats.lost) for sender, stats in speakers.items()}
        received = lost = 0
        for sender, (received_now, lost_now) in now.items():
            received_before, lost_before = self._before.get(sender, (0, 0))
            if received_now < received_before:
                # The speaker fell silent, was freed and is counted from zero again.
                received_before = lost_before = 0
            received += received_now - received_before
            lost += max(0, lost_now - lost_before)
        self._before = now
        if not received + lost:
            return None
        return Stats(received, lost, max(stats.jitter_ms for stats in speakers.values()))
