"""Chat on a small stage: real databases, a real bus, a clock that the test moves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from uuid import UUID

from uuid_utils.compat import uuid7

from sidetone.bus.memory import MemoryBus
from sidetone.chat.application.accept_invite import AcceptInvite
from sidetone.chat.application.announce_rights import AnnounceRights
from sidetone.chat.application.create_channel import CreateChannel
from sidetone.chat.application.create_invite import CreateInvite
from sidetone.chat.application.create_server import CreateServer
from sidetone.chat.application.list_channels import ListChannels
from sidetone.chat.application.list_members import ListMembers
from sidetone.chat.application.list_servers import ListServers
from sidetone.chat.application.remove_member import RemoveMember
from sidetone.chat.application.set_overwrite import SetOverwrite
from sidetone.chat.application.what_may_user_do import WhatMayUserDo
from sidetone.chat.infrastructure.sql import SqlServers
from sidetone.chat.infrastructure.sql_changes import SqlChanges
from sidetone.protocol.events import RightsChanged
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.servers import Channel, Server
from sidetone.protocol.servers import CreateInvite as InviteWish
from sidetone.storage.migrations import migrate
from tests.surroundings import DatabaseKind, open_database


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
    """Every use case, and the rights that were announced."""

    clock: MovedClock
    servers: SqlServers
    changes: SqlChanges
    bus: MemoryBus
    announced: asyncio.Queue[RightsChanged] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.open_invite = InviteWish()
        announce = AnnounceRights(self.bus)
        self.create_server = CreateServer(self.servers, self.changes, self.clock)
        self.list_servers = ListServers(self.servers)
        self.create_channel = CreateChannel(self.changes, self.clock)
        self.list_channels = ListChannels(self.servers)
        self.list_members = ListMembers(self.servers)
        self.remove_member = RemoveMember(self.changes, announce)
        self.create_invite = CreateInvite(self.changes, self.clock)
        self.accept_invite = AcceptInvite(self.servers, self.changes, announce, self.clock)
        self.set_overwrite = SetOverwrite(self.servers, self.changes, announce)
        self.what_may_user_do = WhatMayUserDo(self.servers)

    def stranger(self) -> UserId:
        return UserId(uuid7())

    async def newcomer(self, server: Server) -> UserId:
        """Return a new member of *server*."""
        user = self.stranger()
        invite = await self.create_invite(server.id, server.owner, self.open_invite)
        await self.accept_invite(invite.code, user)
        return user

    async def place(self, server: Server, kind: str) -> Channel:
        """Return the first channel of *kind*."""
        channels = await self.list_channels(server.id, server.owner)
        return next(channel for channel in channels if channel.kind == kind)

    async def hear_announcements(self) -> list[RightsChanged]:
        """Return what was announced since the last call."""
        # The bus is in order: once this mark is heard, so is everything before it.
        mark = RightsChanged(ChannelId(UUID(int=0)), UserId(UUID(int=0)), 0, 0)
        await self.bus.publish(mark)
        heard: list[RightsChanged] = []
        async with asyncio.timeout(10):
            while (fact := await self.announced.get()) != mark:
                heard.append(fact)
        return heard


@asynccontextmanager
async def open_stage(kind: DatabaseKind) -> AsyncGenerator[Stage]:
    bus = MemoryBus()
    async with open_database(kind) as database:
        await migrate(database, "chat", files("sidetone.chat") / "migrations")
        stage = Stage(MovedClock(), SqlServers(database), SqlChanges(database), bus)

        await bus.subscribe(RightsChanged, stage.announced.put)
        yield stage
        await bus.close()
