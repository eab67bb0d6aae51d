"""The archive of the guide, killed again and again: it misses nothing and holds nothing twice."""

import asyncio
import json
import random
import sys
from asyncio.subprocess import Process
from pathlib import Path

from sidetone.all_in_one.nats_config.folder import PUBLISHER
from sidetone.bus.events_stream import NatsEvents
from sidetone.protocol.events import MessageSent
from sidetone.protocol.ids import ChannelId, FactId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from sidetone.protocol.public import PublicEvent
from sidetone.runtime.clock import SystemClock
from tests.secured_nats import secured_nats

ARCHIVE = Path(__file__).parents[2] / "docs" / "examples" / "message_archive.py"
EVENTS = 3_000
KILLS = 4
CLOCK = SystemClock()


def written(path: Path) -> list[str]:
    """Return the texts of the whole lines in the archive."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [json.loads(line)["event"]["message"]["text"] for line in lines]


async def grown(path: Path, count: int) -> None:
    while len(written(path)) < count:  # noqa: ASYNC110 - a file offers nothing else
        await asyncio.sleep(0.01)


async def start(path: Path) -> Process:
    server = secured_nats()
    access = server.access("integrator-archive")
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(ARCHIVE),
        server.url,
        str(access.credentials),
        str(access.ca),
        str(path),
    )


async def publish(server: ServerId, count: int) -> None:
    nats = secured_nats()
    stream = await NatsEvents.connect(nats.url, nats.access(PUBLISHER))
    channel, author = ChannelId(CLOCK.new_id()), UserId(CLOCK.new_id())
    try:
        for number in range(count):
            message = Message(MessageId(CLOCK.new_id()), server, channel, author, str(number))
            id_ = FactId(CLOCK.new_id())
            event = PublicEvent(id_, server, CLOCK.now_ms(), MessageSent(message))
            await stream.keep(event)
    finally:
        await stream.close()


async def test_the_archive_resumes_without_loss_after_kill(tmp_path: Path) -> None:
    path, chance = tmp_path / "archive.jsonl", random.Random(7)
    nats, server = secured_nats(), ServerId(CLOCK.new_id())
    await nats.integrators.add("archive", f"events.{server.hex}.message.*", CLOCK.now_ms(), None)
    publishing = asyncio.create_task(publish(server, EVENTS))
    process = await start(path)
    try:
        async with asyncio.timeout(90):
            for kill in range(KILLS):
                # Midway: something is written, more is on its way.
                await grown(path, (kill + 1) * EVENTS // (KILLS + 2))
                await asyncio.sleep(chance.random() / 20)
                process.kill()
                await process.wait()
                process = await start(path)
            await publishing
            await grown(path, EVENTS)
    finally:
        process.kill()
        await process.wait()
    texts = written(path)
    assert sorted(texts, key=int) == [str(number) for number in range(EVENTS)]
