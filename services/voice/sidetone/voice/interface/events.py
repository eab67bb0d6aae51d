"""What voice listens to: the forwarding units, and the journal."""

from sidetone.bus import Bus, Journal
from sidetone.protocol.events import NodeAlive, NodeLost, RoomChanged
from sidetone.runtime.clock import Clock
from sidetone.voice.application.end_login import EndLogin
from sidetone.voice.application.follow_rights import FollowRights
from sidetone.voice.application.show_rooms import ShowRooms
from sidetone.voice.application.watch_calls import WatchCalls
from sidetone.voice.domain.fleet import Fleet


async def follow_units(bus: Bus, fleet: Fleet, show_rooms: ShowRooms, clock: Clock) -> None:
    """Subscribe to heartbeats, to their ends, and to who is in which room."""

    async def hear(alive: NodeAlive) -> None:
        fleet.hear(alive, clock.now_ms())

    async def lose(lost: NodeLost) -> None:
        fleet.lose(lost.node)

    await bus.subscribe(NodeAlive, hear)
    await bus.subscribe(NodeLost, lose)
    await bus.subscribe(RoomChanged, show_rooms.hear)


async def follow_facts(
    journal: Journal, follow_rights: FollowRights, end_login: EndLogin, watch_calls: WatchCalls
) -> None:
    """Follow rights, logins and accounts, so that none waits for the other."""
    await journal.follow(follow_rights)
    await journal.follow(end_login)
    await journal.follow(watch_calls.hear)
