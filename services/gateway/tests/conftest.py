from collections.abc import AsyncGenerator

import pytest

from tests.gateway_stage import Town, gateway_stage
from tests.surroundings import TOPOLOGIES, Topology


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[tuple[Town, int]]:
    topology: Topology = request.param
    async with gateway_stage(topology) as stage:
        yield stage


@pytest.fixture
async def embedded() -> AsyncGenerator[tuple[Town, int]]:
    async with gateway_stage() as stage:
        yield stage
