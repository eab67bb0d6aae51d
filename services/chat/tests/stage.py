"""Chat on a small stage: real engines, a clock that the test moves, and what was announced."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from uuid import UUID

from uuid_utils.compat import uuid7

from sidetone.chat.app import Ground
from sidetone.chat.application.handle_reports import HandleReports
from sidetone.chat.application.manage_bans import ManageBans
from sidetone.chat.application.manage_channels import ManageChannels
from sidetone.chat.application.manage_conversations import ManageConversations
from sidetone.chat.application.manage_emoji import ManageEmoji
from sidetone.chat.application.manage_invites import ManageInvites
from sidetone.chat.application.manage_members import ManageMembers
from sidetone.chat.application.manage_overwrites import ManageOverwrites
from sidetone.chat.application.manage_roles import ManageRoles
from sidetone.chat.application.manage_servers import ManageServers
from sidetone.chat.application.manage_templates import ManageTemplates
from sidetone.chat.application.read_audit_log import ReadAuditLog
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.infrastructure.sql_audit import SqlAuditLog
from sidetone.chat.infrastructure.sql_bans import SqlBans
from sidetone.chat.infrastructure.sql_invites import SqlInvites
from sidetone.chat.infrastructure.sql_reports import SqlReports
from sidetone.permissions import Permission
from sidetone.protocol.accounts import User
from sidetone.protocol.events import Fact, InServer, RightsChanged, ServerChanged
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.questions import ClaimFiles, Contact, MayContact, WhoAre
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
class Removed:
    """Notes whose recent messages were to be removed."""

    calls: list[tuple[ServerId, UserId, int]] = field(default_factory=list)

    async def remove(self, server: ServerId, author: UserId, since_ms: int) -> None:
        self.calls.append((server, author, since_ms))


@dataclass
class Town:
    """What other services say of people and files: everybody exists, and these are related."""

    friends: set[frozenset[UserId]] = field(default_factory=set)
    blocked: set[frozenset[UserId]] = field(default_factory=set)
    strangers_to_auth: set[UserId] = field(default_factory=set)
    asked: int = 0

    async def may_contact(self, question: MayContact) -> dict[UserId, Contact]:
        self.asked += 1
        pairs = {other: frozenset({question.user, other}) for other in question.others}
        return {
            other: Contact(pair in self.friends, pair in self.blocked)
            for other, pair in pairs.items()
        }

    async def who_are(self, question: WhoAre) -> list[User]:
        known = [user for user in question.users if user not in self.strangers_to_auth]
        return [User(user, "someone") for user in known]

    async def claim_files(self, question: ClaimFiles) -> list[File]:
        return [File(file, "picture.png", "image/png", 100) for file in question.files]


@dataclass
class Stage:
    """Every use case about servers, and the facts that were announced."""

    ground: Ground
    clock: MovedClock
    town: Town = field(default_factory=Town)
    removed: Removed = field(default_factory=Removed)
    facts: asyncio.Queue[Fact] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        ground, clock, changes = self.ground, self.clock, self.ground.changes
        enter, database = ground.enter_server, ground.around.database
        self.see = SeeServers(ground.servers, enter, ground.enter_channel)
        self.servers = ManageServers(
            ground.servers, changes, enter, ground.claims, ground.templates, clock
        )
        self.channels = ManageChannels(ground.enter_channel, changes, clock)
        self.overwrites = ManageOverwrites(ground.enter_channel, changes)
        self.roles = ManageRoles(changes, clock)
        self.members = ManageMembers(changes)
        self.invites = ManageInvites(
            ground.servers, SqlInvites(database), changes, ground.places, enter, clock
        )
        self.bans = ManageBans(SqlBans(database), changes, enter, self.removed)
        self.reports = HandleReports(SqlReports(database), changes, enter, clock)
        self.audit = ReadAuditLog(SqlAuditLog(database), enter)
        self.emoji = ManageEmoji(changes, enter, ground.claims, clock)
        self.templates = ManageTemplates(ground.templates, enter, clock)
        self.conversations = ManageConversations(
            ground.servers, changes, ground.contacts, enter, clock
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

    async def everybody(self, server: Server) -> list[UserId]:
        """Return the members, longest there first."""
        page = await self.see.members(server.id, server.owner, None, 100)
        return [member.user for member in page.items]

    async def may(self, user: UserId, channel: ChannelId) -> Permission:
        return Permission((await self.see.rights(user, channel)).permissions)

    async def announced(self) -> list[Fact]:
        """Return the facts since the last call."""
        # The journal is in order: once this mark is heard, so is everything before it.
        mark = ServerChanged(ServerId(uuid7()), 1)
        async with self.ground.outbox.transaction() as rows:
            rows.announce(InServer(mark.server), mark)
        heard: list[Fact] = []
        async with asyncio.timeout(30):
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
        await around.bus.answer(MayContact, stage.town.may_contact)
        await around.bus.answer(WhoAre, stage.town.who_are)
        await around.bus.answer(ClaimFiles, stage.town.claim_files)

        async def hear(fact: Fact) -> None:
            await ground.hear(fact)
            await stage.facts.put(fact)

        await around.journal.follow(hear)
        yield stage
