"""A running unit on the loopback interface."""

import time
from collections.abc import AsyncGenerator

import pytest

from sidetone.bus.memory import MemoryBus
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.app import Options, Unit, serving
from tests.load.sfu_stage import VoiceDesk


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return Identity.open(tmp_path_factory.mktemp("tls"), [], time.time_ns() // 1_000_000)


@pytest.fixture
async def bus() -> AsyncGenerator[MemoryBus]:
    bus = MemoryBus()
    yield bus
    await bus.close()


@pytest.fixture
async def desk(bus: MemoryBus) -> VoiceDesk:
    desk = VoiceDesk()
    await desk.open(bus)
    return desk


@pytest.fixture
def options() -> Options:
    return Options()


@pytest.fixture
async def unit(
    bus: MemoryBus, desk: VoiceDesk, identity: Identity, options: Options
) -> AsyncGenerator[Unit]:
    async with serving(bus, SystemClock(), identity, options) as unit:
        await unit.briefed.wait()
        yield unit
