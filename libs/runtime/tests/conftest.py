"""The small application at its defaults."""

from collections.abc import AsyncIterator

import pytest

from libs.runtime.tests.http_stage import Platform, serve


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with serve() as stage:
        yield stage
