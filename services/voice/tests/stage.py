"""Voice on a stage: real routes on real engines; the other services are answered for it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import msgspec
from uuid_utils.compat import uuid7

from sidetone.bus.tasks import Tasks
from sidetone.community import Community
from sidetone.credentials.tokens import DEFAULT_POLICY, TokenSigner, key_set, new_private_key
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.accounts import Grant
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.events import (
    CallChanged,
    Fact,
    InServer,
    MemberPutOut,
    NodeAlive,
    RoomChanged,
    RoomMember,
    ServerChanged,
    ServiceEvent,
    Services,
    Signal,
    ToUsers,
    VoiceRights,
    VoiceStateChanged,
)
from sidetone.protocol.ids import (
    ChannelId,
    DeviceId,
    FactId,
    LoginId,
    NodeId,
    RoleId,
    ServerId,
    UserId,
)
from sidetone.protocol.questions import (
    ChannelRights,
    Contact,
    DescribeChannel,
    DescribeServer,
    IssuedGrant,
    IssueGrant,
    MayContact,
    PresencesOf,
    TokenKeys,
    WhatMayUserDo,
)
from sidetone.protocol.refusals import NotFound
from sidetone.protocol.servers import Channel, Member, Role, Server, ServerState
from sidetone.protocol.social import Presence
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.limits import Limit
from sidetone.runtime.surroundings import Surroundings
from sidetone.voice.app import Policy, build
from sidetone.voice.domain.call import Patience
from tests.surroundings import open_surroundings

KEY = new_private_key()
SIGNER = TokenSigner("k1", KEY, DEFAULT_POLICY)
OPEN = Limit(10_000, 60_000)
# Calls that ring and end fast.
FAST = Policy(
    Patience(ring_ms=1_500, empty_ms=600, look_every_ms=400),
    move_grace_seconds=0.5,
    calls=OPEN,
    moves=OPEN,
)


@dataclass
class MovedClock:
    """Stands still until the test moves it."""

    ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms

    def new_id(self) -> UUID:
        return uuid7()


def node(
    number: int,
    *rooms: ChannelId,
    connections: int = 0,
    draining: bool = False,
    cpu_percent: int = 0,
) -> NodeAlive:
    """Return a heartbeat of unit *number*."""
    return NodeAlive(
        NodeId(number),
        "voice.example",
        1 + number % 65_000,
        b"p" * 32,
        [b"c" * 32],
        connections,
        list(rooms),
        draining,
        cpu_percent,
    )


def room(number: int) -> ChannelId:
    return ChannelId(UUID(int=number))


def device_of(user: UserId, number: int = 0) -> DeviceId:
    """Return a device of *user*."""
    return DeviceId(UUID(int=user.int ^ (number + 1)))


class Stage:
    """A server with channels, a conversation, and everything that voice tells of them."""

    def __init__(self, around: Surroundings, policy: Policy) -> None:
        self.around = around
        self.policy = policy
        self.ada, self.ben, self.eve = (UserId(uuid7()) for _ in range(3))
        self.server = ServerId(uuid7())
        self.lounge, self.hall, self.talk = (ChannelId(uuid7()) for _ in range(3))
        self.club, self.group = ServerId(uuid7()), ServerId(uuid7())
        self.line = ChannelId(uuid7())
        users = [self.ada, self.ben, self.eve]
        self.communities = {
            self.server: _community(
                self.server, self.ada, users, "community", [self.lounge, self.hall], "voice"
            ),
            self.club: _community(self.club, self.ada, users, "community", [self.talk], "voice"),
            self.group: _community(
                self.group, self.ada, users[:2], "direct", [self.line], "direct"
            ),
        }
        self.contacts: dict[UserId, Contact] = {}
        self.presences: list[Presence] = []
        self.facts: asyncio.Queue[Fact] = asyncio.Queue()
        self.signals: asyncio.Queue[Signal] = asyncio.Queue()
        self.rights: asyncio.Queue[VoiceRights] = asyncio.Queue()
        self.put_out: asyncio.Queue[MemberPutOut] = asyncio.Queue()
        self.telling = Tasks()
        self.rooms: dict[tuple[int, ChannelId], list[RoomMember]] = {}
        self.client: httpx.AsyncClient

    # --- What clients do ---

    async def send(self, user: UserId, method: str, path: str, body: Any = None) -> httpx.Response:
        token, _ = SIGNER.sign(
            user=user, login=LoginId(user), now_ms=self.around.clock.now_ms(), jti=uuid7()
        )
        headers = {"authorization": f"Bearer {token}"}
        return await self.client.request(method, f"/voice{path}", headers=headers, json=body)

    async def ring(self, user: UserId, channel: ChannelId | None = None) -> Call:
        answer = await self.send(user, "POST", f"/channels/{channel or self.line}/call")
        assert answer.status_code == 201, answer.text
        return msgspec.convert(answer.json(), Call, strict=False)

    async def do(self, user: UserId, what: str, call: Call) -> httpx.Response:
        return await self.send(user, "POST", f"/calls/{call.id}/{what}")

    # --- What units do ---

    async def inside(
        self, channel: ChannelId, *users: UserId, unit: int = 1, muted: bool = False
    ) -> None:
        """Let *unit* tell from now on that *users* are in *channel*, and nobody else."""
        self.rooms[unit, channel] = [
            RoomMember(user, device_of(user), muted, deafened=False) for user in users
        ]
        await self.tell(unit, channel)

    async def tell(self, unit: int, channel: ChannelId) -> None:
        told = RoomChanged(NodeId(unit), channel, self.rooms[unit, channel])
        await self.around.bus.publish(told)

    async def tell_again(self) -> None:
        """Tell every room twice a second, as units do."""
        while True:
            for unit, channel in list(self.rooms):
                await self.tell(unit, channel)
            await asyncio.sleep(0.5)

    def lose(self, unit: int) -> None:
        """Let *unit* fall silent."""
        for each, channel in list(self.rooms):
            if each == unit:
                del self.rooms[each, channel]

    # --- What chat does ---

    async def record(self, event: ServiceEvent | ServerChanged) -> None:
        audience = InServer(event.server) if isinstance(event, ServerChanged) else Services()
        fact = Fact(FactId(self.around.clock.new_id()), audience, event)
        await self.around.journal.record([fact])

    async def decide(self, user: UserId, *, muted: bool, deafened: bool) -> ServerChanged:
        """Let a moderator mute and deafen *user* in the server."""
        community = self.communities[self.server]
        member = Member(user, 0, muted=muted, deafened=deafened)
        change = ServerChanged(self.server, community.generation + 1, members=[member])
        community.apply(change)
        await self.record(change)
        return change

    def community_with(self, channel: ChannelId) -> Community:
        for community in self.communities.values():
            if channel in community.channels:
                return community
        raise NotFound("channel_unknown", "there is no such channel")

    async def answer_rights(self, question: WhatMayUserDo) -> ChannelRights:
        community = self.community_with(question.channel)
        granted = community.permissions(
            question.user, question.channel, self.around.clock.now_ms()
        )
        return ChannelRights(int(granted), community.generation)

    async def answer_server(self, question: DescribeServer) -> ServerState:
        return self.communities[question.server].state()

    async def answer_channel(self, question: DescribeChannel) -> ServerState:
        return self.community_with(question.channel).state()

    # --- What others do ---

    async def answer_keys(self, _: TokenKeys) -> bytes:
        return key_set({"k1": KEY})

    async def answer_grant(self, _: IssueGrant) -> IssuedGrant:
        return IssuedGrant(Grant(b"grant", 0), [b"key"])

    async def answer_contacts(self, question: MayContact) -> dict[UserId, Contact]:
        stranger = Contact(friends=False, blocked=False)
        return {user: self.contacts.get(user, stranger) for user in question.others}

    async def answer_presences(self, question: PresencesOf) -> list[Presence]:
        return [one for one in self.presences if one.user in question.users]

    # --- What is told ---

    async def state(self) -> tuple[UserId, VoiceState | None]:
        """Return the next voice state that is told."""
        async with asyncio.timeout(20):
            signal = await self.signals.get()
        assert isinstance(signal.event, VoiceStateChanged)
        return signal.event.user, signal.event.state

    async def call(self, outcome: str) -> tuple[Call, list[UserId]]:
        """Return the next call that is told and has *outcome*, with who is told."""
        async with asyncio.timeout(30):
            while True:
                fact = await self.facts.get()
                if isinstance(fact.event, CallChanged) and fact.event.call.outcome == outcome:
                    assert isinstance(fact.audience, ToUsers)
                    return fact.event.call, fact.audience.users

    async def right(self) -> VoiceRights:
        async with asyncio.timeout(20):
            return await self.rights.get()


def _community(
    server: ServerId,
    owner: UserId,
    users: list[UserId],
    kind: Any,
    channels: list[ChannelId],
    channel_kind: Any,
) -> Community:
    everyone = Role(RoleId(server), "everyone", 0, int(EVERYONE))
    return Community(
        ServerState(
            Server(server, "a server", owner, kind),
            1,
            [everyone],
            [Channel(channel, server, "a channel", channel_kind) for channel in channels],
            [Member(user, 0) for user in users],
        )
    )


def without_connect(community: Community) -> None:
    """Take the right to connect from everyone but the owner."""
    bits = int(EVERYONE & ~Permission.CONNECT)
    everyone = Role(RoleId(community.server.id), "everyone", 0, bits)
    server, generation = community.server.id, community.generation + 1
    community.apply(ServerChanged(server, generation, roles=[everyone]))


@asynccontextmanager
async def open_stage(
    topology: Any, policy: Policy = FAST, replicas: int = 1
) -> AsyncGenerator[Stage]:
    async with open_surroundings(topology, clock=SystemClock()) as around:
        stage, bus = Stage(around, policy), around.bus
        await bus.answer(TokenKeys, stage.answer_keys)
        await bus.answer(WhatMayUserDo, stage.answer_rights)
        await bus.answer(DescribeServer, stage.answer_server)
        await bus.answer(DescribeChannel, stage.answer_channel)
        await bus.answer(IssueGrant, stage.answer_grant)
        await bus.answer(MayContact, stage.answer_contacts)
        await bus.answer(PresencesOf, stage.answer_presences)
        await bus.subscribe(Signal, stage.signals.put)
        await bus.subscribe(VoiceRights, stage.rights.put)
        await bus.subscribe(MemberPutOut, stage.put_out.put)
        routers = [await build(around, policy) for _ in range(replicas)]
        await around.journal.follow(stage.facts.put)
        stage.telling.start(stage.tell_again())
        transport = httpx.ASGITransport(app_of(routers[:1], around=around))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            stage.client = client
            yield stage
        await stage.telling.close()
