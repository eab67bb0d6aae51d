"""One platform of each topology for a module of stories, and three people who use it."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.scenarios.world import Person, Platform, open_platform, sign_up


@dataclass(frozen=True)
class Cast:
    """Ada founds servers, Ben is let in, Eve is not."""

    platform: Platform
    ada: Person
    ben: Person
    eve: Person


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["embedded", "distributed"])
async def cast(request: pytest.FixtureRequest) -> AsyncGenerator[Cast]:
    async with open_platform(request.param) as platform:
        people = [await sign_up(platform, name) for name in ("Ada", "Ben", "Eve")]
        yield Cast(platform, *people)
