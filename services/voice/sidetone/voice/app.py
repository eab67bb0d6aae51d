"""Voice, wired: give it its surroundings, get its routes."""

from importlib.resources import files

from litestar import Router

from sidetone.bus import Bus
from sidetone.runtime.clock import Clock
from sidetone.storage import Database, KeyValue
from sidetone.storage.migrations import migrate
from sidetone.voice.application.brief_node import BriefNode
from sidetone.voice.application.follow_rights import FollowRights
from sidetone.voice.application.join_voice import JoinVoice
from sidetone.voice.application.place_room import PlaceRoom
from sidetone.voice.domain.fleet import Fleet
from sidetone.voice.infrastructure.keyvalue import KeyValuePlacements
from sidetone.voice.infrastructure.sql import SqlTicketKeys, SqlWatermarks
from sidetone.voice.interface.events import follow_events
from sidetone.voice.interface.http import routes
from sidetone.voice.interface.questions import answer_questions


async def build(database: Database, store: KeyValue, bus: Bus, clock: Clock) -> Router:
    """Return the routes of voice; its tables are brought up to date first.

    The caller owns *database*, *store* and *bus* and closes them.
    """
    await migrate(database, "voice", files("sidetone.voice") / "migrations")
    keys = await SqlTicketKeys.open(database, clock.now_ms())
    watermarks = SqlWatermarks(database)
    fleet = Fleet()
    await follow_events(bus, fleet, FollowRights(watermarks, bus, clock), clock)
    await answer_questions(bus, BriefNode(keys, watermarks, clock))
    place_room = PlaceRoom(fleet, KeyValuePlacements(store), clock)
    return routes(JoinVoice(place_room, keys, bus, clock))
