"""Chat on a small stage: real engines, a clock that the test moves, and what was announced."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from uuid import UUID

from uuid_utils.compat import uuid7

from sidetone.chat.app import Ground
from sidetone.chat.application.manage_channels import ManageChannels
from sidetone.chat.application.manage_invites import ManageInvites
from sidetone.chat.application.manage_members import ManageMembers
from sidetone.chat.application.manage_overwrites import ManageOverwrites
from sidetone.chat.application.manage_servers import ManageServers
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.infrastructure.asked import AskedClaims
from sidetone.chat.infrastructure.sql_invites import SqlInvites
from sidetone.permissions import Permission
from sidetone.protocol.events import Fact, InServer, RightsChanged, ServerChanged
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel, CreateInvite, CreateServer, Server
from sidetone.runtime.outbox import Outbox
from sidetone.storage.migrations import migrate
from tests.surroundings import Topology, open_surroundings

OPEN_INVITE = CreateInvite()


@dataclass
class MovedClock:
    """Stands still until the test moves it."""

    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def new_id(self) -> UUID:
        return uuid7()


@dataclass
class Stage:
    """Every use case about servers, and the facts that were announced."""

    ground: Ground
    clock: MovedClock
    facts: asyncio.Queue[Fact] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        ground, clock = self.ground, self.clock
        self.see = SeeServers(ground.servers, ground.enter_server, ground.enter_channel)
        self.servers = ManageServers(
            ground.servers, ground.changes, ground.enter_server, AskedClaims(ground.around.bus), clock
        )
        self.channels = ManageChannels(ground.places, ground.changes, clock)
        self.overwrites = ManageOverwrites(ground.places, ground.changes)
        self.members = ManageMembers(ground.changes)
        self.invites = ManageInvites(
            ground.servers,
            SqlInvites(ground.around.database),
            ground.changes,
            ground.places,
            ground.enter_server,
            clock,
        )

    def stranger(self) -> UserId:
        return UserId(uuid7())

    async def new_server(self, owner: UserId | None = None) -> Server:
        return await self.servers.create(owner or self.stranger(), CreateServer("tavern"))

    async def newcomer(self, server: Server) -> UserId:
        """Return a new member of *server*."""
        user = self.stranger()
        invite = await self.invites.create(server.id, server.owner, OPEN_INVITE)
        await self.invites.accept(invite.code, user)
        return user

    async def place(self, server: Server, kind: str) -> Channel:
        """Return the first channel of *kind*."""
        channels = await self.see.channels(server.id, server.owner)
        return next(channel for channel in channels if channel.kind == kind)

    async def may(self, user: UserId, channel: ChannelId) -> Permission:
        return Permission((await self.see.rights(user, channel)).permissions)

    async def announced(self) -> list[Fact]:
        """Return the facts since the last call."""
        # The journal is in order: once this mark is heard, so is everything before it.
        mark = ServerChanged(ServerId(uuid7()), 1)
        async with self.ground.outbox.transaction() as rows:
            rows.announce(InServer(mark.server), mark)
        heard: list[Fact] = []
        async with asyncio.timeout(10):
            while (fact := await self.facts.get()).event != mark:
                heard.append(fact)
        return heard

    async def announced_rights(self) -> list[RightsChanged]:
        """Return the rights among the facts since the last call."""
        facts = await self.announced()
        return [fact.event for fact in facts if isinstance(fact.event, RightsChanged)]


@asynccontextmanager
async def open_stage(topology: Topology) -> AsyncGenerator[Stage]:
    clock = MovedClock()
    async with open_surroundings(topology, clock) as around:
        await migrate(around.database, "chat", files("sidetone.chat") / "migrations")
        ground = Ground(around, await Outbox.open(around, "chat"))
        stage = Stage(ground, clock)

        async def hear(fact: Fact) -> None:
            await ground.hear(fact)
            await stage.facts.put(fact)

        await around.journal.follow(hear)
        yield stage
