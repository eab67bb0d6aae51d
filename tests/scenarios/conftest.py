"""One platform of each topology for a module of stories, and three people who use it."""

import itertools
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.cluster.stage import Cluster, Options, open_cluster
from tests.scenarios.world import Person, Platform, open_platform, platform_of, sign_up

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Cast:
    """Ada founds servers, Ben is let in, Eve is not."""

    platform: Platform
    ada: Person
    ben: Person
    eve: Person


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Generator[Cluster]:
    """Run every service as processes; voice nodes are what a story says they are."""
    with open_cluster(Options(voice_nodes=0, cql=request.config.getoption("--cql"))) as opened:
        yield opened
        assert opened.nats.violations() == []


def _platform(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[Platform]:
    if request.param == "cluster":
        return platform_of(request.getfixturevalue("cluster"))
    return open_platform(request.param)


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["embedded", "distributed", pytest.param("cluster", marks=pytest.mark.cluster)],
)
async def cast(request: pytest.FixtureRequest) -> AsyncGenerator[Cast]:
    async with _platform(request) as platform:
        # The modules of stories share a cluster, and a name is somebody's for good.
        number = next(_numbers) if request.param == "cluster" else 0
        people = [
            await sign_up(platform, f"{name}{number or ''}") for name in ("Ada", "Ben", "Eve")
        ]
        yield Cast(platform, *people)
