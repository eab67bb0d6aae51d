"""Presence on a stage: its real routes on real engines; auth and chat are answered for it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
from uuid_utils.compat import uuid7

from sidetone.credentials.tokens import DEFAULT_POLICY, TokenSigner, key_set, new_private_key
from sidetone.presence.app import Policy, build
from sidetone.presence.domain.watch import Timing
from sidetone.protocol.accounts import User
from sidetone.protocol.events import (
    Fact,
    PresenceChanged,
    RelationshipChanged,
    RelationshipEnded,
    SessionClosed,
    SessionOpened,
    SessionsAlive,
    Signal,
    ToUsers,
)
from sidetone.protocol.ids import LoginId, ServerId, SessionId, UserId
from sidetone.protocol.questions import ServersOf, TokenKeys, WhoAre
from sidetone.protocol.social import Presence
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.limits import Limit
from sidetone.runtime.surroundings import Surroundings
from tests.surroundings import open_surroundings

KEY = new_private_key()
SIGNER = TokenSigner("k1", KEY, DEFAULT_POLICY)
# Time passes seven times as fast as in a deployment.
FAST = Timing(alive_ms=2_100, grace_ms=900, renewed_every_ms=600, margin_ms=150)
OPEN = Limit(10_000, 60_000)


class MovedClock(SystemClock):
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.offset_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.offset_ms


class Stage:
    """Some users, their requests, and what was announced."""

    def __init__(self, around: Surroundings, clock: MovedClock) -> None:
        self.around = around
        self.clock = clock
        self.users: dict[UserId, User] = {}
        self.servers: dict[UserId, list[ServerId]] = {}
        self.facts: asyncio.Queue[Fact] = asyncio.Queue()
        self.signals: asyncio.Queue[Signal] = asyncio.Queue()
        self.client: httpx.AsyncClient

    def user(self) -> UserId:
        user = UserId(uuid7())
        self.users[user] = User(user, f"user{len(self.users)}")
        return user

    async def send(self, user: UserId, method: str, path: str, body: Any = None) -> httpx.Response:
        token, _ = SIGNER.sign(
            user=user, login=LoginId(user), now_ms=self.clock.now_ms(), jti=uuid7()
        )
        headers = {"authorization": f"Bearer {token}"}
        return await self.client.request(method, f"/presence{path}", headers=headers, json=body)

    async def make(self, me: UserId, kind: str, other: UserId) -> httpx.Response:
        return await self.send(me, "PUT", f"/relationships/{other}", {"kind": kind})

    async def end(self, me: UserId, other: UserId) -> httpx.Response:
        return await self.send(me, "DELETE", f"/relationships/{other}")

    async def relationships(self, user: UserId) -> dict[UserId, str]:
        answer = await self.send(user, "GET", "/relationships?limit=1000")
        return {UserId(UUID(one["user"])): one["kind"] for one in answer.json()["items"]}

    async def befriend(self, one: UserId, other: UserId) -> None:
        assert (await self.make(one, "friend", other)).status_code == 200
        assert (await self.make(other, "friend", one)).status_code == 200

    async def told(self, count: int) -> list[tuple[UserId, UserId, str | None]]:
        """Return the next facts as: who is told, of whom, what they are now."""
        told: list[tuple[UserId, UserId, str | None]] = []
        async with asyncio.timeout(20):
            for _ in range(count):
                fact = await self.facts.get()
                assert isinstance(fact.audience, ToUsers)
                (user,) = fact.audience.users
                match fact.event:
                    case RelationshipChanged(relationship):
                        told.append((user, relationship.user, relationship.kind))
                    case RelationshipEnded(other):
                        told.append((user, other, None))
                    case _:
                        raise AssertionError(fact)
        return told

    async def opened(self, user: UserId) -> SessionId:
        session = SessionId(uuid7())
        await self.around.bus.publish(SessionOpened(session, user))
        return session

    async def closed(self, session: SessionId, user: UserId, *, left: bool) -> None:
        await self.around.bus.publish(SessionClosed(session, user, left))

    async def alive(self, *sessions: tuple[SessionId, UserId]) -> None:
        await self.around.bus.publish(SessionsAlive(list(sessions)))

    async def signal(self) -> tuple[Presence, Signal]:
        """Return the next presence that was told, with its signal."""
        async with asyncio.timeout(20):
            signal = await self.signals.get()
        assert isinstance(signal.event, PresenceChanged)
        return signal.event.presence, signal

    async def seen(self, status: str) -> Presence:
        """Return the next presence that is told, which has *status*."""
        presence, _ = await self.signal()
        assert presence.status == status
        return presence

    async def answer_keys(self, _: TokenKeys) -> bytes:
        return key_set({"k1": KEY})

    async def answer_who(self, question: WhoAre) -> list[User]:
        return [self.users[user] for user in question.users if user in self.users]

    async def answer_servers(self, question: ServersOf) -> list[ServerId]:
        return self.servers.get(question.user, [])


@asynccontextmanager
async def open_stage(
    topology: Any, policy: Policy | None = None, replicas: int = 1
) -> AsyncGenerator[Stage]:
    clock = MovedClock()
    policy = policy or Policy(timing=FAST, relationship_changes=OPEN, presence_changes=OPEN)
    async with open_surroundings(topology, clock=clock) as around:
        stage = Stage(around, clock)
        await around.bus.answer(TokenKeys, stage.answer_keys)
        await around.bus.answer(WhoAre, stage.answer_who)
        await around.bus.answer(ServersOf, stage.answer_servers)
        await around.bus.subscribe(Signal, stage.signals.put)
        routers = [await build(around, policy) for _ in range(replicas)]
        await around.journal.follow(stage.facts.put)
        app = app_of(routers[:1], around=around)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            stage.client = client
            yield stage
