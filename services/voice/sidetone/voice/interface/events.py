"""The facts that voice listens to."""

from sidetone.bus import Bus
from sidetone.protocol.events import NodeAlive, RightsChanged
from sidetone.runtime.clock import Clock
from sidetone.voice.application.follow_rights import FollowRights
from sidetone.voice.domain.fleet import Fleet


async def follow_events(bus: Bus, fleet: Fleet, follow_rights: FollowRights, clock: Clock) -> None:
    """Subscribe to heartbeats and to changes of rights."""

    async def hear(alive: NodeAlive) -> None:
        fleet.hear(alive, clock.now_ms())

    await bus.subscribe(NodeAlive, hear)
    await bus.subscribe(RightsChanged, follow_rights)
