"""How a call fares, once a second: the engine's counts become what people are shown."""

from typing import TYPE_CHECKING

from sidetone.desktop.domain.voice import Counts, Figures, lost_percent
from sidetone.protocol.ids import UserId

if TYPE_CHECKING:
    from sidetone.client.call import Call


class CallFigures:
    """Looks at *call* again and again; losses are those since the last look."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._before: dict[UserId, Counts] = {}

    def next(self) -> Figures:
        """Return this moment's figures."""
        stats = self._call.stats()
        people = {
            user: Counts(
                received=of.received,
                lost=of.lost,
                concealed_ms=of.concealed_ms,
                jitter_ms=of.jitter_ms,
                buffer_ms=of.depth_ms,
                level_db=of.level_db,
            )
            for user, of in stats.peers.items()
        }
        before, self._before = self._before, dict(people)
        engine = stats.engine
        return Figures(
            rtt_ms=stats.rtt_ms,
            lost_percent=lost_percent(before, people),
            others_lose_percent=stats.loss_reported_percent or 0.0,
            jitter_ms=max((of.jitter_ms for of in people.values()), default=0.0),
            buffer_ms=max((of.buffer_ms for of in people.values()), default=0.0),
            bitrate=engine.bitrate,
            frame_ms=engine.frame_ms,
            cpu_capture_us=engine.cpu_capture_us,
            cpu_playback_us=engine.cpu_playback_us,
            reconnects=stats.reconnects,
            microphone=engine.microphone,
            speaker=engine.speaker,
            people=people,
        )
