"""A gateway on a real port, and the services that it asks, as small as they can be.

What auth, chat, presence and voice would answer is kept in a ``Town``; a change of it is told in
the journal, as they would tell it.
"""

import asyncio
import functools
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

from litestar.types import Receive, Scope, Send

from sidetone.bus import Bus
from sidetone.community import Community
from sidetone.credentials.tokens import DEFAULT_POLICY, TokenSigner, key_set, new_private_key
from sidetone.gateway.app import build
from sidetone.gateway.domain.policy import DEFAULT, Policy
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.accounts import User
from sidetone.protocol.calls import Call, VoiceState
from sidetone.protocol.events import (
    Audience,
    ClientEvent,
    Event,
    Fact,
    InServer,
    MessagesDeleted,
    ServerChanged,
    Signal,
)
from sidetone.protocol.ids import ChannelId, FactId, LoginId, ServerId, UserId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.questions import (
    CallsOf,
    DescribeServer,
    People,
    PeopleOf,
    PresencesOf,
    ReadStatesOf,
    ServersOf,
    TokenKeys,
    VoiceStatesIn,
    WhoAre,
)
from sidetone.protocol.refusals import NotFound
from sidetone.protocol.servers import Channel, Member, Overwrite, Role, Server, ServerState
from sidetone.protocol.social import Presence, Relationship
from sidetone.runtime.process import serving
from sidetone.runtime.surroundings import Surroundings
from tests.surroundings import Topology, open_surroundings

_numbers = itertools.count(1)
_KID = "test"
# An event that says nothing of anybody.
NOBODY = MessagesDeleted(ChannelId(uuid4()), [])


class Town:
    """Everybody there is, and the servers they are in."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.users: dict[UserId, User] = {}
        self.servers: dict[ServerId, Community] = {}
        self.relationships: dict[UserId, list[Relationship]] = {}
        self.presences: dict[UserId, Presence] = {}
        self.read_states: list[ReadState] = []
        self.voice_states: list[VoiceState] = []
        self.calls: list[Call] = []
        self.logins: dict[UserId, LoginId] = {}
        self._signer = TokenSigner(_KID, _private_key(), DEFAULT_POLICY)

    async def open(self, *, with_people: bool = True) -> None:
        """Answer what the gateway asks; *with_people*: presence and voice are there too."""
        bus = self.around.bus
        await bus.answer(TokenKeys, self._keys)
        await bus.answer(WhoAre, self._who_are)
        await bus.answer(ServersOf, self._servers_of)
        await bus.answer(DescribeServer, self._describe)
        await bus.answer(ReadStatesOf, self._read_states)
        if with_people:
            await bus.answer(PeopleOf, self._people_of)
            await bus.answer(PresencesOf, self._presences_of)
            await bus.answer(VoiceStatesIn, self._voice_states_in)
            await bus.answer(CallsOf, self._calls_of)

    # --- What there is ---

    def user(self, name: str = "") -> UserId:
        """Make a user."""
        user = UserId(uuid4())
        self.users[user] = User(user, name or f"user{next(_numbers)}")
        self.logins[user] = LoginId(uuid4())
        return user

    def token(
        self, user: UserId, login: LoginId | None = None, *, age_ms: int = 0, scope: str = "api"
    ) -> str:
        """Return an access token of *user*."""
        now_ms = self.around.clock.now_ms() - age_ms
        login = login or self.logins[user]
        return self._signer.sign(user, login, uuid4(), now_ms, [scope])[0]

    def server(self, owner: UserId, *members: UserId, channels: int = 1) -> Community:
        """Make a server of *owner* and *members*, with text channels that everyone sees."""
        server = ServerId(uuid4())
        everyone = Role(server, "everyone", 0, int(EVERYONE))  # type: ignore[arg-type]
        state = ServerState(
            Server(server, f"server{next(_numbers)}", owner),
            1,
            [everyone],
            [channel_in(server, number) for number in range(channels)],
            [Member(user, 0) for user in (owner, *members)],
        )
        self.servers[server] = Community(state)
        return self.servers[server]

    # --- What happens ---

    async def change(self, server: Community, **pieces: Any) -> ServerChanged:
        """Change *server* and tell it."""
        change = ServerChanged(server.server.id, server.generation + 1, **pieces)
        server.apply(change)
        if change.deleted:
            del self.servers[change.server]
        await self.record(InServer(change.server), change)
        return change

    async def record(self, audience: Audience, event: Any) -> None:
        """Tell a fact."""
        await self.around.journal.record([Fact(FactId(uuid4()), audience, event)])

    async def signal(self, audience: Audience, event: ClientEvent) -> None:
        """Tell a passing event."""
        await self.around.bus.publish(Signal(audience, event))

    # --- Answers ---

    async def _keys(self, _: TokenKeys) -> bytes:
        return key_set({_KID: _private_key()})

    async def _who_are(self, question: WhoAre) -> list[User]:
        return [self.users[user] for user in question.users if user in self.users]

    async def _servers_of(self, question: ServersOf) -> list[ServerId]:
        return [one for one, town in self.servers.items() if question.user in town.members]

    async def _describe(self, question: DescribeServer) -> ServerState:
        server = self.servers.get(question.server)
        if server is None:
            raise NotFound("server_unknown", "there is no such server")
        return server.state()

    async def _read_states(self, _: ReadStatesOf) -> list[ReadState]:
        return self.read_states

    async def _people_of(self, question: PeopleOf) -> People:
        own = self.presences.get(question.user, Presence(question.user, "online"))
        return People(self.relationships.get(question.user, []), own)

    async def _presences_of(self, question: PresencesOf) -> list[Presence]:
        return [self.presences[user] for user in question.users if user in self.presences]

    async def _voice_states_in(self, question: VoiceStatesIn) -> list[VoiceState]:
        return [state for state in self.voice_states if state.server in question.servers]

    async def _calls_of(self, question: CallsOf) -> list[Call]:
        return [call for call in self.calls if question.user in (*call.ringing, *call.joined)]


def channel_in(server: ServerId, position: int = 0, *overwrites: Overwrite) -> Channel:
    """Return a new text channel."""
    return Channel(
        ChannelId(uuid4()),
        server,
        f"channel{next(_numbers)}",
        "text",
        position,
        overwrites=list(overwrites),
    )


def hidden_from(subject: UUID, kind: Any = "role") -> Overwrite:
    """Return what hides a channel from a role or a member."""
    return Overwrite(subject, kind, 0, int(Permission.VIEW_CHANNEL))


def shown_to(subject: UUID, kind: Any = "member") -> Overwrite:
    """Return what shows a channel to a role or a member."""
    return Overwrite(subject, kind, int(Permission.VIEW_CHANNEL), 0)


def told_in(channel: ChannelId) -> MessagesDeleted:
    """Return some event of *channel*."""
    return MessagesDeleted(channel, [])


async def following(bus: Bus, kind: type[Event]) -> asyncio.Queue[Event]:
    """Return where events of *kind* arrive from now on."""
    heard: asyncio.Queue[Event] = asyncio.Queue()
    await bus.subscribe(kind, heard.put)
    return heard


@asynccontextmanager
async def gateway_stage(
    topology: Topology = "embedded", policy: Policy = DEFAULT, *, with_people: bool = True
) -> AsyncGenerator[tuple[Town, int]]:
    """Run a gateway; give the town and the port."""
    async with open_surroundings(topology) as around:
        town = Town(around)
        await town.open(with_people=with_people)
        door = await build(around, policy)
        async with serving(_nothing, "127.0.0.1", 0, clock=around.clock, upgrades=door) as port:
            yield town, port


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@functools.cache
def _private_key() -> bytes:
    return new_private_key()
