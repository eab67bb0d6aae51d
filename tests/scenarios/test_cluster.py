"""What an operator does to a cluster in use: stop a replica, bring all to another version."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from sidetone.protocol.ids import ChannelId, MessageId
from sidetone.protocol.messages import Message
from sidetone.protocol.requests import Page
from tests.cluster.stage import SERVICES, Cluster
from tests.cluster.versions import MARK, next_version
from tests.scenarios.world import Person, Platform, platform_of, sign_up

pytestmark = pytest.mark.cluster

STOP_SECONDS_MAX = 10.0
WRITERS = 6


class Load:
    """Messages that are sent through the balancer, none of them a second time."""

    def __init__(self, platform: Platform, cluster: Cluster, writer: Person) -> None:
        self._platform = platform
        self._url = cluster.url
        self._writer = writer
        self.channel: ChannelId
        self.answers: list[httpx.Response] = []

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Keep sending for the length of the block."""
        server = await self._writer.found()
        self.channel = await self._writer.place(server, "text")
        ended = asyncio.Event()

        async def send() -> None:
            while not ended.is_set():
                self.answers.append(
                    await self._platform.http.post(
                        f"{self._url}/chat/channels/{self.channel}/messages",
                        json={"text": f"number {len(self.answers)}"},
                        headers={"authorization": f"Bearer {self._writer.token}"},
                    )
                )
                await asyncio.sleep(0.02)

        sending = asyncio.gather(*(send() for _ in range(WRITERS)))
        try:
            yield
        finally:
            ended.set()
            await sending

    async def stored(self) -> list[str]:
        """Return the ids of all that is in the history, in order."""
        found: list[str] = []
        path = f"/chat/channels/{self.channel}/messages?limit=100"
        page = await self._writer.ask("GET", path, Page[Message])
        while page.items:
            found += [str(one.id) for one in page.items if one.kind == "text"]
            before = page.items[-1].id
            page = await self._writer.ask("GET", f"{path}&before={before}", Page[Message])
        return sorted(found)

    async def require_nothing_lost(self) -> None:
        """Check that each request was answered once, and did what its answer says."""
        refused = Counter(one.status_code for one in self.answers if one.status_code != 201)
        assert refused == {}, next(one.text for one in self.answers if one.status_code != 201)
        assert sorted(one.json()["id"] for one in self.answers) == await self.stored()


async def stop(cluster: Cluster, names: list[str]) -> None:
    """Tell programs to stop as an orchestrator does, and wait until they have."""
    for name in names:
        cluster.supervisor.hold(name)
        cluster.programs[name].tell_to_stop()
    for name in names:
        status = await asyncio.to_thread(cluster.programs[name].wait, STOP_SECONDS_MAX)
        assert status == 0, name


async def start(cluster: Cluster, names: list[str]) -> None:
    for name in names:
        cluster.programs[name].start()
        cluster.supervisor.let_go(name)
    for name in names:
        await asyncio.to_thread(cluster.programs[name].wait_until_ready)


@pytest.fixture(autouse=True)
def this_version_again(cluster: Cluster) -> None:
    """Let a program that is started again be of this version."""
    for program in cluster.programs.values():
        program.environment.pop("PYTHONPATH", None)


async def test_a_replica_that_is_told_to_stop_loses_no_request(cluster: Cluster) -> None:
    async with platform_of(cluster) as platform:
        load = Load(platform, cluster, await sign_up(platform, "Stopper"))
        async with load.running():
            for number in (1, 2):
                names = [f"{service}-{number}" for service in ("auth", "chat", "presence")]
                await stop(cluster, names)
                await start(cluster, names)
        await load.require_nothing_lost()


async def test_two_versions_serve_side_by_side_and_nothing_is_lost(
    cluster: Cluster, tmp_path: Path
) -> None:
    path = next_version(tmp_path)
    async with platform_of(cluster) as platform:
        ada = await sign_up(platform, "Upgrader")
        load = Load(platform, cluster, ada)
        heard: Counter[MessageId] = Counter()
        async with ada.listening() as ears, load.running():
            hearing = asyncio.create_task(ears.count(heard))
            for number in (1, 2):
                names = [f"{service}-{number}" for service in SERVICES]
                await stop(cluster, names)
                for name in names:
                    cluster.programs[name].environment["PYTHONPATH"] = path
                await start(cluster, names)
                # Each version gets its share while the other one is there.
                await asyncio.sleep(1)
        await load.require_nothing_lost()
        hearing.cancel()
        editions = Counter(MARK in one.text for one in load.answers)
        assert editions[True] > 10
        assert editions[False] > 10
        assert [message for message, times in heard.items() if times > 1] == []
        await asyncio.gather(hearing, return_exceptions=True)
