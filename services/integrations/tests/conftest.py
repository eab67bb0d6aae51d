"""The stage of integrations, embedded and on the real engines."""

from collections.abc import AsyncGenerator

import pytest

from services.integrations.tests.stage import Stage, open_stage
from tests.surroundings import TOPOLOGIES


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage


@pytest.fixture
async def embedded() -> AsyncGenerator[Stage]:
    """For rules that no engine has a part in."""
    async with open_stage("embedded") as stage:
        yield stage
