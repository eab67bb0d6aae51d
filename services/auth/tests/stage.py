"""How the tests speak to a running auth service: real HTTP, embedded adapters."""

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import msgspec

from services.auth.tests.provider import OpenIdProvider
from sidetone.auth.app import Policy, build
from sidetone.e2ee.identity import DeviceIdentity, create_identity
from sidetone.permissions import Permission
from sidetone.protocol.accounts import RegisterDevice
from sidetone.protocol.events import Fact
from sidetone.protocol.files import File
from sidetone.protocol.ids import ChannelId, FileId
from sidetone.protocol.questions import ChannelRights, ClaimFiles, DropFiles, WhatMayUserDo
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.http_gate import HttpPolicy
from sidetone.runtime.limits import Limit
from sidetone.runtime.process import serving
from sidetone.runtime.surroundings import Surroundings
from tests.surroundings import CHEAP

PASSWORD = "plum tree in the rain"
CHANNEL = ChannelId(UUID(int=0xC0))
UNKNOWN_FILE = FileId(UUID(int=0xF1))
HIDDEN = ChannelId(UUID(int=0xC1))
UNLIMITED = Limit(100_000, 60_000)
GENEROUS = Limit(1_000_000, 1_000)
PATIENT = Policy(
    login_per_account=UNLIMITED,
    login_per_address=UNLIMITED,
    login_per_account_and_address=UNLIMITED,
    register_per_address=UNLIMITED,
    mail_per_address=UNLIMITED,
    proofs_per_account=UNLIMITED,
    codes_per_account=UNLIMITED,
    password_cost=CHEAP,
)


class StillClock(SystemClock):
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.offset_ms = 0
        self._started_ms = super().now_ms()

    def now_ms(self) -> int:
        return self._started_ms + self.offset_ms


class Stage:
    """Auth, with a chat that knows one channel."""

    def __init__(self, around: Surroundings, clock: StillClock) -> None:
        self.around = around
        self.database = around.database
        self.bus = around.bus
        self.clock = clock
        self.facts: list[Fact] = []
        self.claimed: list[FileId] = []
        self.dropped: list[FileId] = []
        self.permissions = Permission.VIEW_CHANNEL | Permission.CONNECT
        self.client: httpx.AsyncClient
        self.provider: OpenIdProvider

    async def what_may_user_do(self, question: WhatMayUserDo) -> ChannelRights:
        if question.channel != CHANNEL:
            raise NotFound("channel_unknown", "there is no such channel")
        return ChannelRights(int(self.permissions), 1)

    async def claim_files(self, question: ClaimFiles) -> list[File]:
        if question.files == [UNKNOWN_FILE]:
            raise NotFound("file_unknown", "there is no such file")
        self.claimed += question.files
        return [File(file, "a.png", "image/png", 1) for file in question.files]

    async def drop_files(self, question: DropFiles) -> None:
        self.dropped += question.files

    async def hear(self, fact: Fact) -> None:
        self.facts.append(fact)

    async def heard(self, kind: type) -> Fact:
        """Wait for a fact of *kind*, and take it and what came before it away."""
        async with asyncio.timeout(30):
            while True:
                for place, fact in enumerate(self.facts):
                    if isinstance(fact.event, kind):
                        del self.facts[: place + 1]
                        return fact
                await asyncio.sleep(0.005)

    async def post(self, path: str, token: str | None = None, /, **body: object) -> httpx.Response:
        return await self.client.post(path, json=body, headers=bearer(token))

    async def get(self, path: str, token: str | None = None) -> httpx.Response:
        return await self.client.get(path, headers=bearer(token))

    async def put(self, path: str, token: str | None = None, /, **body: object) -> httpx.Response:
        return await self.client.put(path, json=body, headers=bearer(token))

    async def patch(
        self, path: str, token: str | None = None, /, **body: object
    ) -> httpx.Response:
        return await self.client.patch(path, json=body, headers=bearer(token))

    async def delete(self, path: str, token: str | None = None) -> httpx.Response:
        return await self.client.delete(path, headers=bearer(token))

    async def sign_up(self, name: str) -> dict[str, Any]:
        answer = await self.post("/auth/register", name=name, password=PASSWORD)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return await self.post("/auth/login", name=name, password=password)

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.post("/auth/refresh", refresh_token=refresh_token)

    async def put_device(self, login: dict[str, Any], identity: DeviceIdentity) -> httpx.Response:
        return await self.put_device_body(login, UUID(bytes=identity.device), body_of(identity))

    async def put_device_body(
        self, login: dict[str, Any], device: UUID, body: RegisterDevice
    ) -> httpx.Response:
        return await self.client.put(
            f"/auth/devices/{device}",
            content=msgspec.json.encode(body),
            headers=bearer(login["access_token"]),
        )

    def identity(self, login: dict[str, Any]) -> DeviceIdentity:
        return create_identity(
            UUID(login["user"]).bytes,
            self.clock.new_id().bytes,
            self.clock.now_ms(),
            os.urandom,
        )


def bearer(token: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"} if token else {}


def login_of(login: dict[str, Any]) -> str:
    """Return the id of the login that an access token names."""
    payload = login["access_token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sid"]


def body_of(identity: DeviceIdentity) -> RegisterDevice:
    return RegisterDevice(identity.uik, identity.dk, identity.created_ms, identity.certificate)


Opener = Callable[[Policy], Awaitable[Stage]]


async def raised(
    stack: AsyncExitStack, around: Surroundings, clock: StillClock, policy: Policy
) -> Stage:
    """Serve auth on what is *around*, until *stack* is closed."""
    stage = Stage(around, clock)
    await around.bus.answer(WhatMayUserDo, stage.what_may_user_do)
    await around.bus.answer(ClaimFiles, stage.claim_files)
    await around.bus.answer(DropFiles, stage.drop_files)
    await around.journal.follow(stage.hear)
    auth = await build(around, policy)
    http = HttpPolicy(tokens=policy.token, per_caller=GENEROUS, per_address=GENEROUS)
    app = app_of([auth], around=around, policy=http)
    port = await stack.enter_async_context(serving(app, "127.0.0.1", 0, clock=clock))
    stage.client = await stack.enter_async_context(
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, verify=False)
    )
    return stage
