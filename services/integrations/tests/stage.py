"""Integrations on a stage: its real routes on real engines; chat and media are answered for it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from uuid_utils.compat import uuid7

from services.integrations.tests.receiver import Receiver, open_receiver
from sidetone.community import Community
from sidetone.credentials.tokens import DEFAULT_POLICY, TokenSigner, key_set, new_private_key
from sidetone.integrations.app import Policy, build
from sidetone.permissions import EVERYONE, Permission
from sidetone.protocol.accounts import User
from sidetone.protocol.events import (
    Fact,
    InChannel,
    InServer,
    MessageSent,
    ServerChanged,
    Signal,
    ToUsers,
)
from sidetone.protocol.files import File
from sidetone.protocol.ids import (
    ChannelId,
    FactId,
    FileId,
    LoginId,
    MessageId,
    RoleId,
    ServerId,
    UserId,
)
from sidetone.protocol.messages import Message
from sidetone.protocol.public import PublicEvent
from sidetone.protocol.questions import (
    ClaimFiles,
    DescribeChannel,
    DescribeServer,
    DropFiles,
    NoteDeed,
    TokenKeys,
    WhoAre,
    WriteMessage,
)
from sidetone.protocol.refusals import NotFound
from sidetone.protocol.servers import Channel, Member, Overwrite, Role, Server, ServerState
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.limits import Limit
from sidetone.runtime.surroundings import Surroundings
from tests.surroundings import open_surroundings

FAST = Policy(commands_per_user=Limit(1_000, 1_000), delivery_poll_seconds=0.02)
KEY = new_private_key()
SIGNER = TokenSigner("k1", KEY, DEFAULT_POLICY)


class MovedClock(SystemClock):
    """The real time, and what a test adds to it."""

    offset_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.offset_ms


class Kept:
    """The public stream, as a list."""

    def __init__(self) -> None:
        self.events: list[PublicEvent] = []

    async def keep(self, event: PublicEvent) -> None:
        self.events.append(event)


class Stage:
    """A server with an owner, a member, a stranger, an open channel and a hidden one."""

    def __init__(self, around: Surroundings, clock: MovedClock, receiver: Receiver) -> None:
        self.around = around
        self.clock = clock
        self.receiver = receiver
        self.stream = Kept()
        self.owner, self.member, self.stranger = (UserId(uuid7()) for _ in range(3))
        self.server = ServerId(uuid7())
        self.channel, self.hidden, self.category = (ChannelId(uuid7()) for _ in range(3))
        self.communities: dict[ServerId, Community] = {}
        self.written: list[WriteMessage] = []
        self.noted: list[NoteDeed] = []
        self.claimed: list[FileId] = []
        self.dropped: list[FileId] = []
        self.bot = UserId(uuid7())
        self.signals: asyncio.Queue[Signal] = asyncio.Queue()
        self.client: httpx.AsyncClient
        self.found(self.server)

    def found(self, server: ServerId, kind: Any = "community") -> None:
        """Found a server of this *kind* with the channels."""
        deny = Overwrite(server, "role", 0, int(Permission.VIEW_CHANNEL))
        state = ServerState(
            Server(server, "The Tavern", self.owner, kind),
            1,
            [Role(RoleId(server), "everyone", 0, int(EVERYONE))],
            [
                Channel(self.channel, server, "hall", "text"),
                Channel(self.category, server, "halls", "category"),
                Channel(self.hidden, server, "mods", "text", overwrites=[deny]),
            ],
            [Member(self.owner, 0), Member(self.member, 0), Member(self.bot, 0)],
        )
        self.communities[server] = Community(state)

    async def change(self, **pieces: Any) -> ServerChanged:
        """Change the server and tell of it."""
        community = self.communities[self.server]
        change = ServerChanged(self.server, community.generation + 1, **pieces)
        community.apply(change)
        if change.deleted:
            del self.communities[self.server]
        await self.record(InServer(self.server), change)
        return change

    async def say(self, text: str, channel: ChannelId | None = None) -> Fact:
        """Tell of a message."""
        place = channel or self.channel
        message = Message(MessageId(uuid7()), self.server, place, self.member, text)
        return await self.record(InChannel(self.server, place), MessageSent(message))

    async def record(self, audience: Any, event: Any) -> Fact:
        fact = Fact(FactId(self.clock.new_id()), audience, event)
        await self.around.journal.record([fact])
        return fact

    async def send(
        self, user: UserId | None, method: str, path: str, body: Any = None
    ) -> httpx.Response:
        headers = {}
        if user is not None:
            now_ms, jti = self.clock.now_ms(), uuid7()
            token, _ = SIGNER.sign(user=user, login=LoginId(user), now_ms=now_ms, jti=jti)
            headers = {"authorization": f"Bearer {token}"}
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["content-type"] = "application/json"
        return await self.client.request(
            method, f"/integrations{path}", headers=headers, content=content
        )

    async def hook(self, *events: str) -> tuple[str, str]:
        """Make a webhook to the receiver; return its id and secret."""
        body = {"name": "games", "url": "https://games.example/hook", "events": list(events)}
        answer = await self.send(self.owner, "POST", f"/servers/{self.server}/webhooks", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["webhook"]["id"], answer.json()["secret"]

    async def answer_questions(self) -> None:
        bus = self.around.bus
        await bus.answer(TokenKeys, self._keys)
        await bus.answer(DescribeServer, self._describe_server)
        await bus.answer(DescribeChannel, self._describe_channel)
        await bus.answer(WriteMessage, self._write)
        await bus.answer(NoteDeed, self._note)
        await bus.answer(ClaimFiles, self._claim)
        await bus.answer(DropFiles, self._drop)
        await bus.answer(WhoAre, self._who)
        await bus.subscribe(Signal, self.signals.put)

    async def told(self, user: UserId) -> Any:
        """Return the next that is told, which is told to *user* alone."""
        async with asyncio.timeout(30):
            signal = await self.signals.get()
        assert signal.audience == ToUsers([user])
        return signal.event

    async def refused(self, user: UserId, path: str, body: Any) -> httpx.Response:
        """Return the answer when the service has heard that *user* may not any more."""
        async with asyncio.timeout(30):
            while (answer := await self.send(user, "POST", path, body)).is_success:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return answer

    async def _who(self, question: WhoAre) -> list[User]:
        return [User(user, "x", bot=user == self.bot) for user in question.users]

    async def _keys(self, _: TokenKeys) -> bytes:
        return key_set({"k1": KEY})

    async def _describe_server(self, question: DescribeServer) -> ServerState:
        if question.server not in self.communities:
            raise NotFound("server_unknown", "there is no such server")
        return self.communities[question.server].state()

    async def _describe_channel(self, question: DescribeChannel) -> ServerState:
        for community in self.communities.values():
            if question.channel in community.channels:
                return community.state()
        raise NotFound("channel_unknown", "there is no such channel")

    async def _write(self, question: WriteMessage) -> Message:
        self.written.append(question)
        return Message(
            MessageId(uuid7()),
            question.server,
            question.channel,
            question.author,
            question.text,
            persona=question.persona,
        )

    async def _note(self, question: NoteDeed) -> None:
        self.noted.append(question)

    async def _claim(self, question: ClaimFiles) -> list[File]:
        self.claimed += question.files
        return [File(file, "a.png", "image/png", 1) for file in question.files]

    async def _drop(self, question: DropFiles) -> None:
        self.dropped += question.files


@asynccontextmanager
async def open_stage(topology: Any, policy: Policy | None = None) -> AsyncGenerator[Stage]:
    clock = MovedClock()
    async with (
        open_receiver() as (receiver, post),
        open_surroundings(topology, clock=clock) as around,
    ):
        stage = Stage(around, clock, receiver)
        await stage.answer_questions()
        router = await build(around, policy or FAST, stage.stream, post)
        transport = httpx.ASGITransport(app_of([router], around=around))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            stage.client = client
            yield stage


def problem(answer: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.json()["code"]
