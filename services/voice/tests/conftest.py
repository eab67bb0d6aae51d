"""The stage of voice, embedded and on the real engines."""

from collections.abc import AsyncGenerator

import pytest

from services.voice.tests.stage import Stage, open_stage
from tests.surroundings import TOPOLOGIES


@pytest.fixture(params=TOPOLOGIES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with open_stage(request.param) as stage:
        yield stage
