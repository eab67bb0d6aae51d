"""The platform in both topologies, and people who use it over HTTP.

``embedded`` is one application on embedded adapters. ``distributed`` is auth, chat and two of
voice, each with its own connection to NATS: nothing can travel between them but through it.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from uuid import UUID

import httpx
import msgspec
from litestar import Router
from uuid_utils.compat import uuid7

import sidetone.auth.app
import sidetone.chat.app
import sidetone.voice.app
from sidetone.bus import Bus
from sidetone.credentials.limits import Limit
from sidetone.credentials.tickets import Ticket, verify
from sidetone.e2ee.identity import create_identity
from sidetone.protocol.accounts import LoggedIn, RegisterDevice
from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.questions import BriefNode
from sidetone.protocol.servers import Channel, ChannelKind, Invite, Server
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.process import serving
from tests.surroundings import (
    BusKind,
    DatabaseKind,
    KeyValueKind,
    open_bus,
    open_database,
    open_keyvalue,
)

Topology = Literal["embedded", "distributed"]
PASSWORD = "a dozen green umbrellas"
UNLIMITED = Limit(100_000, 60_000)

A = TypeVar("A")


class MovedClock(SystemClock):
    """The real time, and what the test adds to it."""

    offset_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.offset_ms


@dataclass(frozen=True)
class Platform:
    """Where the services are, and the bus as a forwarding unit sees it."""

    urls: Mapping[str, list[str]]
    routers: list[Router]
    bus: Bus
    clock: MovedClock
    http: httpx.AsyncClient

    async def read_ticket(self, answer: VoiceTicket) -> Ticket:
        """Return the ticket as the unit reads it."""
        briefing = await self.bus.ask(BriefNode(NodeId(1)))
        return verify(answer.ticket, briefing.ticket_keys)


class Person:
    """Somebody with an account and a device."""

    def __init__(self, platform: Platform, login: LoggedIn) -> None:
        self.platform = platform
        self.login = login
        self.user = login.user
        self.token = login.access_token
        self.identity = create_identity(
            login.user.bytes, uuid7().bytes, platform.clock.now_ms(), os.urandom
        )
        self.device = DeviceId(UUID(bytes=self.identity.device))

    async def send(
        self, method: str, path: str, body: object = None, *, replica: int = 0
    ) -> httpx.Response:
        """Send a request to one of the services that own *path*."""
        urls = self.platform.urls[path.split("/")[1]]
        return await self.platform.http.request(
            method,
            urls[replica % len(urls)] + path,
            content=None if body is None else msgspec.json.encode(body),
            headers={"authorization": f"Bearer {self.token}"},
        )

    async def ask(self, method: str, path: str, kind: type[A], body: object = None) -> A:
        """Return the answer to a request that succeeds."""
        response = await self.send(method, path, body)
        assert response.is_success, response.text
        return msgspec.json.decode(response.content, type=kind)

    async def tell(self, method: str, path: str, body: object = None) -> None:
        """Send a request that succeeds without an answer."""
        response = await self.send(method, path, body)
        assert response.status_code == 204, response.text
        assert response.content == b""

    async def register_device(self) -> None:
        keys = self.identity
        body = RegisterDevice(keys.uik, keys.dk, keys.created_ms, keys.certificate)
        await self.tell("PUT", f"/auth/devices/{self.device}", body)

    async def found(self, name: str = "The Tavern") -> Server:
        return await self.ask("POST", "/chat/servers", Server, {"name": name})

    async def channels(self, server: Server) -> list[Channel]:
        return await self.ask("GET", f"/chat/servers/{server.id}/channels", list[Channel])

    async def place(self, server: Server, kind: ChannelKind) -> ChannelId:
        """Return the server's first channel of *kind*."""
        channels = await self.channels(server)
        return next(channel.id for channel in channels if channel.kind == kind)

    async def let_in(self, guest: "Person", server: Server) -> None:
        """Invite *guest*, who accepts."""
        invite = await self.ask("POST", f"/chat/servers/{server.id}/invites", Invite, {})
        assert await guest.ask("POST", f"/chat/invites/{invite.code}/accept", Server) == server

    async def join(self, channel: ChannelId, *, replica: int = 0) -> httpx.Response:
        path = f"/voice/channels/{channel}/join"
        return await self.send("POST", path, {"device": self.device}, replica=replica)

    async def ticket(self, channel: ChannelId, *, replica: int = 0) -> VoiceTicket:
        response = await self.join(channel, replica=replica)
        assert response.status_code == 200, response.text
        return msgspec.json.decode(response.content, type=VoiceTicket)

    async def overwrite(
        self, channel: ChannelId, subject: UserId | str, *, allow: int = 0, deny: int = 0
    ) -> None:
        path = f"/chat/channels/{channel}/overwrites/{subject}"
        await self.tell("PUT", path, {"allow": allow, "deny": deny})


async def sign_up(platform: Platform, name: str) -> Person:
    """Register an account with a device."""
    response = await platform.http.post(
        f"{platform.urls['auth'][0]}/auth/register", json={"name": name, "password": PASSWORD}
    )
    assert response.status_code == 201, response.text
    person = Person(platform, msgspec.json.decode(response.content, type=LoggedIn))
    await person.register_device()
    return person


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the stable code of a refusal."""
    problem: dict[str, Any] = response.json()
    assert problem["detail"]
    return response.status_code, problem["code"]


@asynccontextmanager
async def open_platform(
    topology: Topology, chat_policy: sidetone.chat.app.Policy | None = None
) -> AsyncGenerator[Platform]:
    """Build every service and serve it on loopback."""
    async with AsyncExitStack() as stack:
        builder = _Builder(stack, topology, MovedClock())
        bus = await builder.bus()
        auth_policy = sidetone.auth.app.Policy(
            login_per_account=UNLIMITED,
            login_per_address=UNLIMITED,
            register_per_address=UNLIMITED,
        )
        policy = chat_policy or sidetone.chat.app.Policy(invites_per_address=UNLIMITED)
        auth_bus, chat_bus = await builder.bus(), await builder.bus()
        auth = await sidetone.auth.app.build(
            await builder.database(), auth_bus, builder.clock, auth_policy
        )
        chat = await sidetone.chat.app.build(
            await builder.database(), chat_bus, builder.clock, policy
        )
        voice_database, store = await builder.database(), await builder.store()
        voices: list[tuple[Router, Bus]] = []
        for _ in range(1 if topology == "embedded" else 2):
            voice_bus = await builder.bus()
            voice = await sidetone.voice.app.build(voice_database, store, voice_bus, builder.clock)
            voices.append((voice, voice_bus))
        urls = await builder.serve([(auth, auth_bus), (chat, chat_bus), *voices])
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        yield Platform(urls, [chat, voices[0][0]], bus, builder.clock, http)


class _Builder:
    """What the services of one topology stand on."""

    def __init__(self, stack: AsyncExitStack, topology: Topology, clock: MovedClock) -> None:
        self._stack = stack
        self._embedded = topology == "embedded"
        self._shared: dict[str, Any] = {}
        self.clock = clock

    async def bus(self) -> Bus:
        """Return the bus of one service."""
        kind: BusKind = "memory" if self._embedded else "nats"
        return await self._open("bus", open_bus(kind))

    async def database(self) -> Any:
        kind: DatabaseKind = "sqlite" if self._embedded else "postgres"
        return await self._open("database", open_database(kind))

    async def store(self) -> Any:
        kind: KeyValueKind = "memory" if self._embedded else "valkey"
        return await self._open("store", open_keyvalue(kind))

    async def serve(self, services: list[tuple[Router, Bus]]) -> dict[str, list[str]]:
        """Serve one application with everything, or one for each service."""
        if self._embedded:
            url = await self._serve([router for router, _ in services], services[0][1])
            return {"auth": [url], "chat": [url], "voice": [url]}
        urls: dict[str, list[str]] = {}
        for router, bus in services:
            urls.setdefault(router.path.strip("/"), []).append(await self._serve([router], bus))
        return urls

    async def _serve(self, routers: list[Router], bus: Bus) -> str:
        app = app_of(routers, bus=bus, clock=self.clock)
        server = serving(app, "127.0.0.1", 0, clock=self.clock)
        return f"http://127.0.0.1:{await self._stack.enter_async_context(server)}"

    async def _open(self, name: str, opener: Any) -> Any:
        """Open a new one, or in the embedded topology the one that all share."""
        if not self._embedded:
            return await self._stack.enter_async_context(opener)
        if name not in self._shared:
            self._shared[name] = await self._stack.enter_async_context(opener)
        return self._shared[name]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the awaitable that *condition* makes is true; fail after ten seconds."""
    async with asyncio.timeout(10):
        while not await condition():  # noqa: ASYNC110  # other processes offer nothing to wait on
            await asyncio.sleep(0.01)
