"""Presence, wired: give it its surroundings, get its routes."""

from importlib.resources import files

import msgspec
from litestar import Router

from sidetone.presence.application.change_relationship import Bounds, ChangeRelationship
from sidetone.presence.application.describe_people import DescribePeople
from sidetone.presence.application.find_presence import FindPresence
from sidetone.presence.application.forget_user import ForgetUser
from sidetone.presence.application.list_relationships import ListRelationships
from sidetone.presence.application.set_presence import SetPresence
from sidetone.presence.application.show_presence import ShowPresence
from sidetone.presence.application.watch_sessions import WatchSessions
from sidetone.presence.domain.watch import Timing
from sidetone.presence.infrastructure.keyvalue import KeyValueSessions
from sidetone.presence.infrastructure.sql_relations import SqlRelations
from sidetone.presence.infrastructure.sql_wishes import SqlWishes
from sidetone.presence.interface.events import follow_events
from sidetone.presence.interface.http import presence_routes, relationship_routes, routes
from sidetone.presence.interface.questions import answer_questions
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.migrations import migrate

_MINUTE_MS = 60_000


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two deployments of presence."""

    bounds: Bounds = Bounds()
    timing: Timing = Timing()
    relationship_changes: Limit = Limit(30, _MINUTE_MS)
    presence_changes: Limit = Limit(20, _MINUTE_MS)


DEFAULT = Policy()


async def build(around: Surroundings, policy: Policy = DEFAULT) -> Router:
    """Return the routes of presence; its tables are brought up to date first."""
    database, bus, clock = around.database, around.bus, around.clock
    await migrate(database, "presence", files("sidetone.presence") / "migrations")
    relations = SqlRelations(database, await Outbox.open(around, "presence"))
    wishes, sessions = SqlWishes(database), KeyValueSessions(around.store, clock)
    show = ShowPresence(relations, wishes, sessions, bus, clock)
    watch = WatchSessions(sessions, show, clock, policy.timing)
    await follow_events(bus, around.journal, watch, ForgetUser(relations, wishes))
    await answer_questions(bus, DescribePeople(relations, wishes, sessions, clock, policy.bounds))
    around.tasks.start(watch.run())
    return routes(
        *relationship_routes(
            ChangeRelationship(relations, bus, clock, policy.bounds),
            ListRelationships(relations),
            Limiter(around.store, "relationships", policy.relationship_changes),
        ),
        *presence_routes(
            SetPresence(wishes, watch.look, bus, clock),
            FindPresence(relations, wishes, sessions, bus),
            Limiter(around.store, "presences", policy.presence_changes),
        ),
    )
