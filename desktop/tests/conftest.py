"""Stages for tests of the client."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from desktop.tests.stage import Stage, a_stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with a_stage(tmp_path) as stage:
        yield stage
