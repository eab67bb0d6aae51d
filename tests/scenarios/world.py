"""The platform in both topologies, and people who use it over HTTP and the gateway.

``embedded`` is one application on embedded adapters. ``distributed`` is every service on its own,
two of chat and two of voice, each with its own connections to PostgreSQL, Valkey and NATS: nothing
can travel between them but through these. A cluster (``tests.cluster``) is the same as processes,
two of each, as an operator runs them.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Router
from uuid_utils.compat import uuid7

import sidetone.auth.app
import sidetone.chat.app
import sidetone.gateway.app
import sidetone.integrations.app
import sidetone.presence.app
from sidetone.all_in_one.app import SERVICES, Place, Policies, build
from sidetone.all_in_one.nats_config.folder import PUBLISHER
from sidetone.bus import Bus
from sidetone.bus.events_stream import NatsEvents
from sidetone.bus.jetstream import NatsJournal
from sidetone.bus.nats import NatsBus
from sidetone.bus.tasks import Tasks
from sidetone.chat.infrastructure.typesense import Typesense
from sidetone.chat.infrastructure.typesense_search import TypesenseSearch
from sidetone.client.gateway_link import GatewayLink
from sidetone.client.pinned import Endpoint
from sidetone.credentials.tickets import Ticket, verify
from sidetone.e2ee.identity import create_identity
from sidetone.protocol.accounts import LoggedIn, RegisterDevice
from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.frames import Ready
from sidetone.protocol.ids import ChannelId, DeviceId, NodeId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.questions import BriefNode
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Channel, ChannelKind, Invite, Server
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.deployment import checks
from sidetone.runtime.http import app_of
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import serving
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.files_folder import FolderFiles
from sidetone.storage.valkey import ValkeyKeyValue
from tests import engines
from tests.cluster.stage import Cluster
from tests.scenarios.ears import Ears
from tests.secured_nats import SecuredNats, secured_nats
from tests.surroundings import (
    CHEAP,
    Topology,
    fresh_postgres,
    open_database_at,
    open_keyvalue,
    open_surroundings,
)

PASSWORD = "a dozen green umbrellas"
UNLIMITED = Limit(100_000, 60_000)
# Limits have tests of their own, at their defaults; stories are told without them.
POLICIES = Policies(
    http=HttpPolicy(per_caller=UNLIMITED, per_address=UNLIMITED),
    auth=sidetone.auth.app.Policy(
        login_per_account=UNLIMITED,
        login_per_address=UNLIMITED,
        login_per_account_and_address=UNLIMITED,
        refresh_per_address=UNLIMITED,
        register_per_address=UNLIMITED,
        requests_per_network=UNLIMITED,
        password_cost=CHEAP,
    ),
    chat=sidetone.chat.app.Policy(
        invites_per_address=UNLIMITED,
        messages_per_channel=UNLIMITED,
        typing_per_channel=UNLIMITED,
        reactions_per_channel=UNLIMITED,
        searches=UNLIMITED,
    ),
    gateway=sidetone.gateway.app.Policy(identifies_per_minute=10_000),
    presence=sidetone.presence.app.Policy(
        relationship_changes=UNLIMITED, presence_changes=UNLIMITED
    ),
)
REPLICAS = {"chat": 2, "voice": 2}

A = TypeVar("A")


class MovedClock(SystemClock):
    """The real time, and what the test adds to it."""

    offset_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.offset_ms


@dataclass(frozen=True)
class Platform:
    """Where the services are, the bus as a forwarding unit sees it, and NATS if there is one."""

    urls: Mapping[str, list[str]]
    bus: Bus
    clock: MovedClock | None
    http: httpx.AsyncClient
    nats: SecuredNats | None = None

    def now_ms(self) -> int:
        """Return the time that the services know."""
        return (self.clock or SystemClock()).now_ms()

    @contextmanager
    def later(self, ms: int) -> Generator[None]:
        """Let the block happen *ms* later."""
        if self.clock is None:
            pytest.skip("the time of other processes cannot be moved")
        self.clock.offset_ms += ms
        try:
            yield
        finally:
            self.clock.offset_ms -= ms

    async def sign_in_again(self, person: "Person") -> "Person":
        """Log *person* in once more, as from another device."""
        body = {"name": person.login.name, "password": PASSWORD}
        response = await self.http.post(f"{self.urls['auth'][0]}/auth/login", json=body)
        assert response.status_code == 200, response.text
        return Person(self, msgspec.json.decode(response.content, type=LoggedIn))

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
            login.user.bytes, uuid7().bytes, platform.now_ms(), os.urandom
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

    async def say(self, channel: ChannelId, text: str, *, replica: int = 0) -> Message:
        path = f"/chat/channels/{channel}/messages"
        response = await self.send("POST", path, {"text": text}, replica=replica)
        assert response.status_code == 201, response.text
        return msgspec.json.decode(response.content, type=Message)

    async def history(self, channel: ChannelId) -> list[Message]:
        """Return what people wrote in *channel*, as this person reads it, newest first."""
        path = f"/chat/channels/{channel}/messages?limit=100"
        page = await self.ask("GET", path, Page[Message])
        return [message for message in page.items if message.kind == "text"]

    async def fresh_login(self, **_: object) -> LoggedIn:
        """Return the login that the gateway link identifies with."""
        return self.login

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Ears]:
        """Hear what the gateway tells, for the length of the block."""
        link = GatewayLink(Endpoint(self.platform.urls["gateway"][0]), self)
        async with link.listening() as happenings:
            ready = await anext(aiter(happenings))
            assert isinstance(ready, Ready)
            yield Ears(ready, happenings)

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
    topology: Topology, policies: Policies = POLICIES
) -> AsyncGenerator[Platform]:
    """Build every service and serve it on loopback."""
    async with AsyncExitStack() as stack:
        files = FolderFiles(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        clock = MovedClock()
        if topology == "embedded":
            around = await stack.enter_async_context(open_surroundings(topology, clock))
            urls, bus = await _serve_together(stack, Place(around, files, policies)), around.bus
        else:
            cluster = await _Cluster.open(stack, clock)
            urls = await _serve_apart(stack, cluster, files, policies)
            bus = await cluster.bus_of_a_unit()
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=30))
        yield Platform(urls, bus, clock, http, secured_nats() if topology != "embedded" else None)


@asynccontextmanager
async def platform_of(cluster: Cluster) -> AsyncGenerator[Platform]:
    """Use *cluster*: each replica by its own address, the gateways through the balancer."""
    urls = {
        name: [f"http://{place}" for place in places] for name, places in cluster.replicas.items()
    }
    bus = await NatsBus.connect(cluster.nats.url, access=cluster.nats.access("sfu"))
    try:
        async with httpx.AsyncClient(timeout=30, follow_redirects=True) as http:
            yield Platform({**urls, "gateway": [cluster.url]}, bus, None, http, cluster.nats)
    finally:
        await bus.close()


async def _serve_together(stack: AsyncExitStack, place: Place) -> dict[str, list[str]]:
    app = await build(*place)
    clock = place.around.clock
    server = serving(app.http, "127.0.0.1", 0, clock=clock, upgrades=app.gateway)
    url = f"http://127.0.0.1:{await stack.enter_async_context(server)}"
    return {name: [url] for name in (*SERVICES, "gateway")}


async def _serve_apart(
    stack: AsyncExitStack, cluster: "_Cluster", files: FolderFiles, policies: Policies
) -> dict[str, list[str]]:
    urls: dict[str, list[str]] = {}
    for name, build_service in SERVICES.items():
        for _ in range(REPLICAS.get(name, 1)):
            around = await cluster.join(name)
            place = Place(around, files, policies)
            router = await _APART.get(name, build_service)(place)
            urls.setdefault(name, []).append(await _serve(stack, around, policies, [router]))
    indexing = await cluster.join("chat")
    await sidetone.chat.app.build_indexer(
        indexing,
        Typesense.connect(engines.typesense_url(), engines.TYPESENSE_API_KEY),
        search_key=engines.TYPESENSE_SEARCH_KEY,
    )
    around = await cluster.join("gateway")
    gateway = await sidetone.gateway.app.build(around, policies.gateway)
    urls["gateway"] = [await _serve(stack, around, policies, [], gateway)]
    return urls


async def _chat_with_typesense(at: Place) -> Router:
    url = engines.typesense_url()
    search = TypesenseSearch(Typesense.connect(url, engines.TYPESENSE_SEARCH_KEY))
    return await sidetone.chat.app.build(at.around, at.policies.chat, search)


async def _integrations_with_stream(at: Place) -> Router:
    nats = secured_nats()
    events = await NatsEvents.connect(nats.url, nats.access(PUBLISHER))
    at.around.tasks.start(_closed_at_the_end(events))
    return await sidetone.integrations.app.build(at.around, at.policies.integrations, events)


async def _closed_at_the_end(events: NatsEvents) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await events.close()


# What a service is given apart, and not in one process.
_APART = {"chat": _chat_with_typesense, "integrations": _integrations_with_stream}


async def _serve(
    stack: AsyncExitStack,
    around: Surroundings,
    policies: Policies,
    routers: list[Router],
    gateway: Any = None,
) -> str:
    app = app_of(routers, around=around, policy=policies.http, ready=checks(around))
    server = serving(app, "127.0.0.1", 0, clock=around.clock, upgrades=gateway)
    return f"http://127.0.0.1:{await stack.enter_async_context(server)}"


class _Cluster:
    """What services that run apart share: one database, one store, one bus, one journal."""

    def __init__(self, stack: AsyncExitStack, database_url: str, clock: MovedClock) -> None:
        self._stack = stack
        self._database_url = database_url
        self._clock = clock

    @classmethod
    async def open(cls, stack: AsyncExitStack, clock: MovedClock) -> "_Cluster":
        await stack.enter_async_context(open_keyvalue("valkey"))
        return cls(stack, stack.enter_context(fresh_postgres()), clock)

    async def join(self, name: str) -> Surroundings:
        """Return the connections of one more process, which is the user *name* on NATS."""
        enter = self._stack.enter_async_context
        database = await enter(open_database_at(self._database_url))
        store = await ValkeyKeyValue.open(engines.valkey_url())
        self._stack.push_async_callback(store.close)
        nats = secured_nats()
        bus = await NatsBus.connect(nats.url, access=nats.access(name))
        self._stack.push_async_callback(bus.close)
        journal = await NatsJournal.connect(nats.url, nats.access(name))
        self._stack.push_async_callback(journal.close)
        tasks = Tasks()
        self._stack.push_async_callback(tasks.close)
        return Surroundings(database, store, bus, journal, self._clock, tasks)

    async def bus_of_a_unit(self) -> NatsBus:
        """Return the bus as a forwarding unit has it."""
        nats = secured_nats()
        bus = await NatsBus.connect(nats.url, access=nats.access("sfu"))
        self._stack.push_async_callback(bus.close)
        return bus
