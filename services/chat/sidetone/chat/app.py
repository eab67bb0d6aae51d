"""Chat, wired: give it its surroundings, get its routes."""

from importlib.resources import files

import msgspec
import structlog
from litestar import Router
from litestar.handlers import HTTPRouteHandler

from sidetone.bus import Bus
from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.enter_server import EnterServer
from sidetone.chat.application.manage_channels import ManageChannels
from sidetone.chat.application.manage_invites import ManageInvites
from sidetone.chat.application.manage_members import ManageMembers
from sidetone.chat.application.manage_overwrites import ManageOverwrites
from sidetone.chat.application.manage_servers import ManageServers
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.infrastructure.asked import AskedClaims
from sidetone.chat.infrastructure.held_places import HeldPlaces
from sidetone.chat.infrastructure.sql import SqlServers
from sidetone.chat.infrastructure.sql_changes import SqlChanges
from sidetone.chat.infrastructure.sql_invites import SqlInvites
from sidetone.chat.interface.http_channels import channel_routes
from sidetone.chat.interface.http_invites import invite_routes
from sidetone.chat.interface.http_members import member_routes
from sidetone.chat.interface.http_servers import server_routes
from sidetone.chat.interface.questions import answer_questions
from sidetone.protocol.events import Fact, ServerChanged
from sidetone.runtime.communities import Communities
from sidetone.runtime.limits import Limit, Limiter
from sidetone.runtime.outbox import Outbox
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.migrations import migrate


class Policy(msgspec.Struct, frozen=True):
    """What may differ between two deployments of chat."""

    invites_per_address: Limit = Limit(count=10, period_ms=60_000)


DEFAULT = Policy()


class Ground:
    """What all of chat stands on: storage, the servers in memory, and the way to change them."""

    def __init__(self, around: Surroundings, outbox: Outbox) -> None:
        self.around = around
        self.outbox = outbox
        self.servers = SqlServers(around.database)
        self.communities = Communities(self.servers.state)
        self.places = HeldPlaces(self.communities, self.servers)
        self.changes = SqlChanges(outbox, self.communities, around.clock, _request_id)
        self.enter_server = EnterServer(self.places, around.clock)
        self.enter_channel = EnterChannel(self.places, around.clock)

    async def hear(self, fact: Fact) -> None:
        """Keep up with what other processes changed."""
        if isinstance(fact.event, ServerChanged):
            await self.communities.hear(fact.event)


async def build(around: Surroundings, policy: Policy = DEFAULT) -> Router:
    """Return the routes of chat; its tables are brought up to date first.

    The caller owns what is *around* and closes it.
    """
    await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
    ground = Ground(around, await Outbox.open(around, "chat"))
    await around.journal.follow(ground.hear)
    see = SeeServers(ground.servers, ground.enter_server, ground.enter_channel)
    await answer_questions(around.bus, see, ground.servers, ground.places)
    handlers = [*_servers(ground, see, around.bus), *_people(ground, see, policy)]
    return Router("/chat", route_handlers=handlers)


def _servers(ground: Ground, see: SeeServers, bus: Bus) -> list[HTTPRouteHandler]:
    clock, changes = ground.around.clock, ground.changes
    servers = ManageServers(ground.servers, changes, ground.enter_server, AskedClaims(bus), clock)
    channels = ManageChannels(ground.places, changes, clock)
    overwrites = ManageOverwrites(ground.places, changes)
    return [
        *server_routes(see, servers),
        *channel_routes(see, channels, overwrites),
    ]


def _people(ground: Ground, see: SeeServers, policy: Policy) -> list[HTTPRouteHandler]:
    around = ground.around
    invites = ManageInvites(
        ground.servers,
        SqlInvites(around.database),
        ground.changes,
        ground.places,
        ground.enter_server,
        around.clock,
    )
    per_address = Limiter(around.store, "invites", policy.invites_per_address, open_when_down=True)
    return [
        *member_routes(see, ManageMembers(ground.changes)),
        *invite_routes(invites, per_address),
    ]


def _request_id() -> str:
    """Return the id of the request that is being answered; nothing where none is."""
    return str(structlog.contextvars.get_contextvars().get("request", ""))
