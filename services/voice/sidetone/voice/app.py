"""Voice, wired: give it its surroundings, get its routes."""

from importlib.resources import files

import msgspec
from litestar import Router

from sidetone.protocol.ids import ServerId
from sidetone.protocol.questions import DescribeServer
from sidetone.protocol.servers import ServerState
from sidetone.runtime.communities import Communities
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.migrations import migrate
from sidetone.voice.application.brief_node import BriefNode
from sidetone.voice.application.end_login import EndLogin
from sidetone.voice.application.follow_rights import FollowRights
from sidetone.voice.application.join_voice import JoinVoice
from sidetone.voice.application.list_calls import ListCalls
from sidetone.voice.application.move_member import MoveMember
from sidetone.voice.application.place_room import PlaceRoom
from sidetone.voice.application.places import Places
from sidetone.voice.application.ring import Ring
from sidetone.voice.application.show_rooms import ShowRooms
from sidetone.voice.application.watch_calls import WatchCalls
from sidetone.voice.domain.call import Patience
from sidetone.voice.domain.fleet import Fleet
from sidetone.voice.domain.occupancy import Occupancy
from sidetone.voice.infrastructure.keyvalue import (
    KeyValueEntries,
    KeyValuePlacements,
    KeyValueShownRooms,
)
from sidetone.voice.infrastructure.sql import SqlTicketKeys, SqlWatermarks
from sidetone.voice.infrastructure.sql_calls import SqlCalls
from sidetone.voice.interface.events import follow_facts, follow_units
from sidetone.voice.interface.http import (
    call_routes,
    channel_routes,
    history_routes,
    routes,
)
from sidetone.voice.interface.prometheus import READ, VoiceMetrics
from sidetone.voice.interface.questions import answer_questions

_MINUTE_MS = 60_000


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two deployments of voice.

    *settle_ms* is how long units have to report to a process that has heard of none for a while.
    """

    patience: Patience = Patience()
    move_grace_seconds: float = 5.0
    calls: Limit = Limit(20, _MINUTE_MS)
    moves: Limit = Limit(60, _MINUTE_MS)
    settle_ms: int = 0


DEFAULT = Policy()


async def rotate_ticket_keys(around: Surroundings) -> int:
    """Make the next key that signs voice tickets, for an operator; return its number."""
    return (await (await SqlTicketKeys.open(around.database, around.clock)).rotate()).kid


async def build(around: Surroundings, policy: Policy = DEFAULT) -> Router:
    """Return the routes of voice; its tables are brought up to date first."""
    database, store, bus, clock = around.database, around.store, around.bus, around.clock
    await migrate(database, "voice", files("sidetone.voice") / "migrations")
    keys = await SqlTicketKeys.open(database, clock)
    around.tasks.start(keys.keep())
    watermarks = SqlWatermarks(database)
    calls = SqlCalls(database, await Outbox.open(around, "voice"))

    async def load(server: ServerId) -> ServerState:
        return await bus.ask(DescribeServer(server))

    places = Places(bus, Communities(load))
    fleet, occupancy = Fleet(policy.settle_ms), Occupancy()
    READ.from_(VoiceMetrics(fleet, occupancy, clock))
    show_rooms = ShowRooms(occupancy, places, KeyValueShownRooms(store, clock), bus, clock)
    watch_calls = WatchCalls(calls, occupancy, clock, policy.patience)
    list_calls = ListCalls(calls)
    follow_rights = FollowRights(places, watermarks, bus, clock)
    entries = KeyValueEntries(store)
    await follow_facts(around.journal, follow_rights, EndLogin(entries, bus), watch_calls)
    await follow_units(bus, fleet, show_rooms, clock)
    await answer_questions(bus, BriefNode(keys, watermarks, clock), show_rooms, list_calls)
    around.tasks.start(show_rooms.run(watch_calls.room_changed))
    around.tasks.start(watch_calls.run())
    place_room = PlaceRoom(fleet, KeyValuePlacements(store), clock)
    return routes(
        *channel_routes(
            JoinVoice(place_room, keys, places, entries, bus, clock),
            MoveMember(places, occupancy, bus, around.tasks.start, policy.move_grace_seconds),
            Limiter(store, "moves", policy.moves),
        ),
        *call_routes(
            Ring(calls, places, bus, clock, policy.patience),
            Limiter(store, "calls", policy.calls),
        ),
        *history_routes(list_calls),
    )
