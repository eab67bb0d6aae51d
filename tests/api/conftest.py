"""The whole application on embedded adapters, and its OpenAPI document."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest_asyncio

from tests.scenarios.world import Platform, open_platform

Document = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform() -> AsyncGenerator[Platform]:
    async with open_platform("embedded") as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(platform: Platform) -> Document:
    return (await platform.http.get(platform.urls["chat"][0] + "/openapi.json")).json()
