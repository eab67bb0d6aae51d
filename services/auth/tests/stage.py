"""How the tests speak to a running auth service: real HTTP, embedded adapters."""

import os
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx
import msgspec

from sidetone.auth.app import Policy
from sidetone.bus.memory import MemoryBus
from sidetone.credentials.limits import Limit
from sidetone.e2ee.identity import DeviceIdentity, create_identity
from sidetone.permissions import Permission
from sidetone.protocol.accounts import RegisterDevice
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.questions import ChannelRights, WhatMayUserDo
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.clock import SystemClock
from sidetone.storage.sqlite import SqliteDatabase

PASSWORD = "plum tree in the rain"
CHANNEL = ChannelId(UUID(int=0xC0))
HIDDEN = ChannelId(UUID(int=0xC1))
UNLIMITED = Limit(100_000, 60_000)
PATIENT = Policy(
    login_per_account=UNLIMITED, login_per_address=UNLIMITED, register_per_address=UNLIMITED
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

    def __init__(self, database: SqliteDatabase, bus: MemoryBus, clock: StillClock) -> None:
        self.database = database
        self.bus = bus
        self.clock = clock
        self.permissions = Permission.VIEW_CHANNEL | Permission.CONNECT
        self.client: httpx.AsyncClient

    async def what_may_user_do(self, question: WhatMayUserDo) -> ChannelRights:
        if question.channel != CHANNEL:
            raise NotFound("channel_unknown", "there is no such channel")
        return ChannelRights(int(self.permissions), 1)

    async def post(self, path: str, token: str | None = None, **body: object) -> httpx.Response:
        return await self.client.post(path, json=body, headers=bearer(token))

    async def get(self, path: str, token: str | None = None) -> httpx.Response:
        return await self.client.get(path, headers=bearer(token))

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


def body_of(identity: DeviceIdentity) -> RegisterDevice:
    return RegisterDevice(identity.uik, identity.dk, identity.created_ms, identity.certificate)


Opener = Callable[[Policy], Awaitable[Stage]]
