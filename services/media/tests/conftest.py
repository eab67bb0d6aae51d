from collections.abc import AsyncGenerator

import pytest

from services.media.tests.site import Site, open_site
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


@pytest.fixture
async def site(embedded: Stage) -> AsyncGenerator[Site]:
    async with open_site(embedded) as opened_site:
        yield opened_site
