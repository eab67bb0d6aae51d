"""A voice node with several workers beside services that run apart, as an operator starts it."""

import asyncio
import os
import signal
import socket
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from sidetone.protocol.calls import VoiceTicket
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.voice_control import Leave, Move
from sidetone.voice_sfu.infrastructure.worker import Listening
from tests.load.sfu_stage import Client, connected, frame, free_ports_in_a_row
from tests.processes import child_at_port
from tests.scenarios.world import Person, Platform, open_platform, sign_up
from tests.secured_nats import secured_nats
from tests.waiting import until

# From the kill on. Before its death was told a dead node was handed out for 1.6 s.
TOLD_SECONDS_MAX = 1.0
AUDIO_BACK_SECONDS_MAX = 3.0


class Unit:
    """The process of an operator, and what it said of its workers."""

    def __init__(self, process: asyncio.subprocess.Process, listening: list[Listening]) -> None:
        self.process = process
        self.listening = listening

    def worker_at(self, port: int) -> int:
        """Return the process that has the UDP *port*."""
        return child_at_port(self.process.pid, port)


@asynccontextmanager
async def unit(folder: Path, **settings: str) -> AsyncGenerator[Unit]:
    nats = secured_nats()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidetone.voice_sfu", "--workers", "2"),
        env={
            **os.environ,
            "SIDETONE_SFU_BUS": nats.url,
            "SIDETONE_SFU_BUS_CREDENTIALS": str(nats.access("sfu").credentials),
            "SIDETONE_SFU_BUS_CA": str(nats.access("sfu").ca),
            "SIDETONE_SFU_TLS_FOLDER": str(folder / "tls"),
            "SIDETONE_SFU_HOST": "127.0.0.1",
            "SIDETONE_SFU_ANNOUNCED_HOST": "127.0.0.1",
            "SIDETONE_SFU_DRAIN_SECONDS": "3",
            **settings,
        },
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            lines = [await process.stdout.readline() for _ in range(2)]
        yield Unit(process, [msgspec.json.decode(line, type=Listening) for line in lines])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def platform() -> AsyncGenerator[Platform]:
    async with open_platform("distributed") as platform:
        yield platform


async def lounge_of(ada: Person, ben: Person) -> ChannelId:
    server = await ada.found()
    await ada.let_in(ben, server)
    return await ada.place(server, "voice")


async def ticket(person: Person, channel: ChannelId) -> VoiceTicket:
    """Return a ticket as soon as there is a node."""

    async def is_given() -> bool:
        return (await person.join(channel)).status_code == 200

    await until(is_given)
    return await person.ticket(channel)


async def enter(stack: AsyncExitStack, given: VoiceTicket) -> Client:
    client = await stack.enter_async_context(connected(given.port))
    await client.join(given.ticket)
    return client


async def hear_each_other(one: Client, other: Client) -> None:
    for speaker, listener in ((one, other), (other, one)):
        said = frame(speaker.sender)
        speaker.say(said)
        assert await listener.heard() == said


async def test_a_room_whose_worker_is_killed_goes_on_elsewhere(
    platform: Platform, tmp_path: Path
) -> None:
    ada, ben = [await sign_up(platform, name) for name in ("Ada", "Ben")]
    lounge = await lounge_of(ada, ben)
    async with unit(tmp_path) as sfu, AsyncExitStack() as stack:
        before = [await ticket(person, lounge) for person in (ada, ben)]
        assert before[0].port == before[1].port
        await hear_each_other(*[await enter(stack, given) for given in before])
        dead = (await platform.read_ticket(before[0])).node

        killed_at = time.monotonic()
        os.kill(sfu.worker_at(before[0].port), signal.SIGKILL)
        while (await platform.read_ticket(given := await ticket(ada, lounge))).node == dead:
            assert time.monotonic() - killed_at < TOLD_SECONDS_MAX
        after = [given, await ticket(ben, lounge)]
        await hear_each_other(*[await enter(stack, each) for each in after])
        assert time.monotonic() - killed_at < AUDIO_BACK_SECONDS_MAX


async def test_twenty_calls_are_spread_over_both_workers(
    platform: Platform, tmp_path: Path
) -> None:
    ada, ben = [await sign_up(platform, name) for name in ("Ada", "Ben")]
    async with unit(tmp_path) as sfu:
        lounges = [await lounge_of(ada, ben) for _ in range(20)]
        calls = Counter([(await ticket(ada, lounge)).port for lounge in lounges])
    assert set(calls) == {at.port for at in sfu.listening}
    # A fair coin does worse once in 2,500 times.
    assert min(calls.values()) >= 3


def lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


# Not the usual one, but this machine's as well.
METRICS_HOST = "127.0.0.2"


def scrape(port: int) -> str:
    return urllib.request.urlopen(f"http://{METRICS_HOST}:{port}/metrics").read().decode()


async def test_a_told_unit_moves_all_its_members_and_leaves_nothing(
    platform: Platform, tmp_path: Path
) -> None:
    ada, ben = [await sign_up(platform, name) for name in ("Ada", "Ben")]
    metrics = free_ports_in_a_row(socket.SOCK_STREAM)
    async with AsyncExitStack() as stack:
        sfu = await stack.enter_async_context(
            unit(
                tmp_path,
                SIDETONE_SFU_METRICS_HOST=METRICS_HOST,
                SIDETONE_SFU_METRICS_PORT=str(metrics),
            )
        )
        workers = [sfu.worker_at(at.port) for at in sfu.listening]
        member = await enter(stack, await ticket(ada, await lounge_of(ada, ben)))
        scraped = [await asyncio.to_thread(scrape, metrics + index) for index in range(2)]
        assert sorted("sidetone_voice_connections 1.0" in text for text in scraped) == [
            False,
            True,
        ]
        sfu.process.send_signal(signal.SIGINT)
        assert (await member.told(Move)).reason == "node_draining"
        member.tell(Leave())
        async with asyncio.timeout(20):
            assert await sfu.process.wait() == 0
        assert not any(map(lives, workers))


async def test_workers_end_with_a_unit_that_is_killed(platform: Platform, tmp_path: Path) -> None:
    async with unit(tmp_path, SIDETONE_SFU_DRAIN_SECONDS="0") as sfu:
        workers = [sfu.worker_at(at.port) for at in sfu.listening]
        sfu.process.kill()

        async def have_ended() -> bool:
            return not any(map(lives, workers))

        await until(have_ended)
