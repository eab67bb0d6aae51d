"""Opens auth services for tests."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from services.auth.tests.stage import PATIENT, Opener, Stage, StillClock
from sidetone.auth.app import Policy, build
from sidetone.bus.memory import MemoryBus
from sidetone.protocol.questions import WhatMayUserDo
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.http import app_of
from sidetone.runtime.process import serving
from sidetone.storage.sqlite import SqliteDatabase


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database that has its signing keys already: RSA keys take a second each."""
    path = tmp_path_factory.mktemp("auth") / "template.sqlite3"

    async def make() -> None:
        database = await SqliteDatabase.open(path)
        bus = MemoryBus()
        await build(database, bus, SystemClock())
        await bus.close()
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def open_stage(template: Path, tmp_path: Path) -> AsyncIterator[Opener]:
    async with AsyncExitStack() as stack:

        async def open_one(policy: Policy) -> Stage:
            path = shutil.copy(template, tmp_path / "auth.sqlite3")
            database = await SqliteDatabase.open(path)
            stack.push_async_callback(database.close)
            bus = MemoryBus()
            stack.push_async_callback(bus.close)
            stage = Stage(database, bus, StillClock())
            await bus.answer(WhatMayUserDo, stage.what_may_user_do)
            auth = await build(database, bus, stage.clock, policy)
            app = app_of([auth], bus=bus, clock=stage.clock, tokens=policy.token)
            port = await stack.enter_async_context(serving(app, "127.0.0.1", 0, clock=stage.clock))
            stage.client = await stack.enter_async_context(
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, verify=False)
            )
            return stage

        yield open_one


@pytest.fixture
async def stage(open_stage: Opener) -> Stage:
    return await open_stage(PATIENT)
