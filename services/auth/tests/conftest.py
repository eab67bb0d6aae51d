"""Opens auth services for tests."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from services.auth.tests.provider import CLIENT_ID, CLIENT_SECRET, open_provider
from services.auth.tests.stage import PATIENT, Opener, Stage, StillClock, raised
from sidetone.auth.app import Policy, build
from sidetone.auth.infrastructure.mail import FolderMail
from sidetone.auth.infrastructure.oidc import ProviderPolicy
from sidetone.bus.memory import MemoryBus, MemoryJournal
from sidetone.bus.tasks import Tasks
from sidetone.runtime.clock import Clock, SystemClock
from sidetone.runtime.surroundings import Surroundings
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.sqlite import SqliteDatabase
from tests.surroundings import TOPOLOGIES, open_surroundings


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a database that has its signing keys already: RSA keys take a second each."""
    path = tmp_path_factory.mktemp("auth") / "template.sqlite3"

    async def make() -> None:
        async with AsyncExitStack() as stack:
            await build(await surroundings(stack, path, SystemClock()))

    asyncio.run(make())
    return path


async def surroundings(stack: AsyncExitStack, path: Path, clock: Clock) -> Surroundings:
    database = await SqliteDatabase.open(path)
    stack.push_async_callback(database.close)
    bus, journal, tasks = MemoryBus(), MemoryJournal(), Tasks()
    stack.push_async_callback(journal.close)
    stack.push_async_callback(bus.close)
    stack.push_async_callback(tasks.close)
    store = MemoryKeyValue(lambda: clock.now_ms() / 1000)
    return Surroundings(database, store, bus, journal, clock, tasks)


@pytest.fixture
async def open_stage(template: Path, tmp_path: Path) -> AsyncIterator[Opener]:
    async with AsyncExitStack() as stack:

        async def open_one(policy: Policy) -> Stage:
            path = Path(shutil.copy(template, tmp_path / "auth.sqlite3"))
            clock = StillClock()
            return await raised(stack, await surroundings(stack, path, clock), clock, policy)

        yield open_one


@pytest.fixture(params=TOPOLOGIES)
async def any_stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """Open a stage in each topology, with a provider and mail."""
    clock = StillClock()
    mail = FolderMail(str(tmp_path / "mail"))
    async with (
        open_provider(clock) as provider,
        open_surroundings(request.param, clock) as around,
        AsyncExitStack() as stack,
    ):
        house = ProviderPolicy("house", "House", provider.issuer, CLIENT_ID, CLIENT_SECRET)
        policy = msgspec.structs.replace(PATIENT, mail=mail, providers=[house])
        stage = await raised(stack, around, clock, policy)
        stage.provider = provider
        yield stage


@pytest.fixture
async def stage(open_stage: Opener) -> Stage:
    return await open_stage(PATIENT)


@pytest.fixture
async def mail_stage(open_stage: Opener, tmp_path: Path) -> Stage:
    """Open a stage whose mail goes to the folder ``mail``."""
    mail = FolderMail(str(tmp_path / "mail"))
    return await open_stage(msgspec.structs.replace(PATIENT, mail=mail))
