from collections.abc import AsyncGenerator

import pytest

from services.media.tests.stage import Stage, open_stage
from tests.surroundings import TOPOLOGIES


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    """Media in each topology: a folder and SQLite, a bucket and the real engines."""
    async with open_stage(request.param) as opened:
        yield opened


@pytest.fixture
async def embedded() -> AsyncGenerator[Stage]:
    async with open_stage("embedded") as opened:
        yield opened
