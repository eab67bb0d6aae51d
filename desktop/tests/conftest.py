"""Stages for tests of the client."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from desktop.tests.stage import Stage, a_stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each story in a browser the machine: it draws and talks in real time."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and "stage" in getattr(item, "fixturenames", ()):
            item.add_marker("alone")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncGenerator[Stage]:
    async with a_stage(tmp_path) as stage:
        yield stage
