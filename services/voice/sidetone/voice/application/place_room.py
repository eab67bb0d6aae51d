"""Find the forwarding unit where a call lives, or is going to live."""

from dataclasses import dataclass

import structlog

from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.voice.application.ports import Placements
from sidetone.voice.domain.fleet import Fleet, holder_of
from sidetone.voice.domain.placement import choose

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PlaceRoom:
    """Send all who join one channel to one unit.

    A unit that reports the room comes first, then the store, then the hash. Only the first member
    of a call needs the store, and without it all services still choose alike.
    """

    fleet: Fleet
    placements: Placements
    clock: Clock

    async def __call__(self, room: ChannelId) -> NodeAlive:
        """Return the unit. Raises ``Unavailable`` when no unit takes calls."""
        nodes = self.fleet.open_nodes(self.clock.now_ms())
        holder = holder_of(room, nodes)
        if holder is not None:
            return holder
        wanted = choose(room, nodes)
        if wanted is None:
            raise Unavailable(
                "no_voice_node", "no voice server is running; try again in a few seconds"
            )
        try:
            return await self.placements.claim(room, wanted, nodes)
        except Unavailable as problem:
            log.warning("placement_store_unavailable", code=problem.code)
            return wanted
