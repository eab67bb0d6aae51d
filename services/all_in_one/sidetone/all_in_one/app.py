"""All services in one application: the composition that ``serve`` and the tests share."""

from litestar.types import ASGIApp

import sidetone.auth.app
import sidetone.chat.app
import sidetone.voice.app
from sidetone.auth.app import Policy
from sidetone.bus import Bus
from sidetone.runtime.clock import Clock
from sidetone.runtime.http import app_of
from sidetone.storage import Database, KeyValue


async def build(
    database: Database, store: KeyValue, bus: Bus, clock: Clock, policy: Policy | None = None
) -> ASGIApp:
    """Return one ASGI application that holds every service.

    The caller owns *database*, *store* and *bus* and closes them.
    """
    routers = [
        await sidetone.auth.app.build(database, bus, clock, policy or Policy()),
        await sidetone.chat.app.build(database, bus, clock),
        await sidetone.voice.app.build(database, store, bus, clock),
    ]
    return app_of(routers, bus=bus, clock=clock)
