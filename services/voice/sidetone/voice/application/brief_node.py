"""Tell a forwarding unit what it must know before it lets anybody in."""

from dataclasses import dataclass

from sidetone.protocol.questions import Briefing
from sidetone.runtime.clock import Clock
from sidetone.voice.application.ports import TicketKeys, Watermarks


@dataclass(frozen=True, slots=True)
class BriefNode:
    """Return the ticket keys, and the rights that changed lately.

    Every ticket that was made before such a change, and every call that a unit kept alive through
    a short loss of its bus, is judged anew by them.
    """

    keys: TicketKeys
    watermarks: Watermarks
    clock: Clock

    async def __call__(self) -> Briefing:
        """Return the briefing; the same for every unit."""
        watermarks = await self.watermarks.recent(self.clock.now_ms())
        return Briefing(self.keys.public_keys(), list(watermarks))
