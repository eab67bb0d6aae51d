import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from sidetone.bus.answers import ANSWERS_MAX
from sidetone.bus.link import MESSAGE_BYTES_MAX, UNREAD_BYTES_MAX
from sidetone.bus.local import LocalBus, LocalBusServer
from sidetone.bus.memory import MemoryBus
from sidetone.protocol.events import VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import ChannelRights, WhatMayUserDo
from sidetone.protocol.refusals import Unavailable

CHANNEL, USER = ChannelId(UUID(int=1)), UserId(UUID(int=2))
QUESTION = WhatMayUserDo(user=USER, channel=CHANNEL)


def rights(generation: int) -> VoiceRights:
    return VoiceRights(channel=CHANNEL, user=USER, perms=7, generation=generation)


class Parent:
    def __init__(self, bus: MemoryBus, server: LocalBusServer, path: Path) -> None:
        self.bus = bus
        self.server = server
        self.path = path


@pytest.fixture
async def parent(tmp_path: Path) -> AsyncGenerator[Parent]:
    bus, path = MemoryBus(), tmp_path / "bus.sock"
    server = await LocalBusServer.open(bus, path)
    yield Parent(bus, server, path)
    await server.close()
    await bus.close()


def answering(permissions: int) -> Callable[[WhatMayUserDo], Awaitable[ChannelRights]]:
    async def answer(question: WhatMayUserDo) -> ChannelRights:
        return ChannelRights(permissions=permissions, generation=1)

    return answer


async def test_only_the_owner_can_reach_the_socket(parent: Parent) -> None:
    assert stat.S_IMODE(os.stat(parent.path).st_mode) == 0o600  # noqa: PTH116


async def test_a_child_that_finds_no_parent_is_told(tmp_path: Path) -> None:
    path = tmp_path / "bus.sock"
    with pytest.raises(Unavailable, match="bus_unreachable") as refused:
        await LocalBus.connect(path)
    assert str(path) in refused.value.detail


async def test_a_second_parent_at_the_same_place_is_refused(parent: Parent) -> None:
    with pytest.raises(Unavailable, match="another process listens there"):
        await LocalBusServer.open(parent.bus, parent.path)
    await (await LocalBus.connect(parent.path)).close()


async def test_a_path_that_is_too_long_for_a_socket_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="choose another data folder"):
        await LocalBusServer.open(MemoryBus(), tmp_path / ("x" * 120))


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bus.sock"
    path.write_text("precious")
    with pytest.raises(Unavailable, match="bus_unusable"):
        await LocalBusServer.open(MemoryBus(), path)
    assert path.read_text() == "precious"


async def test_closing_removes_the_socket_and_tells_the_children(parent: Parent) -> None:
    child = await LocalBus.connect(parent.path)
    await child.answer(WhatMayUserDo, answering(permissions=1))
    await parent.server.close()
    await child.closed.wait()
    with pytest.raises(Unavailable, match="bus_lost"):
        await child.ask(QUESTION)
    with pytest.raises(Unavailable, match="bus_lost"):
        await child.publish(rights(1))
    await child.close()
    with pytest.raises(Unavailable, match="bus_unreachable"):
        await LocalBus.connect(parent.path)


PARENT = """
import asyncio, sys
from pathlib import Path
from sidetone.bus.local import LocalBusServer
from sidetone.bus.memory import MemoryBus
from sidetone.protocol.questions import WhatMayUserDo

async def hang(question):
    print("asked", flush=True)
    await asyncio.Event().wait()

async def main():
    bus = MemoryBus()
    await bus.answer(WhatMayUserDo, hang)
    server = await LocalBusServer.open(bus, Path(sys.argv[1]))
    print("open", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_parent_ends_its_children_and_leaves_room_for_the_next(
    tmp_path: Path,
) -> None:
    path = tmp_path / "bus.sock"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"open\n"
    child = await LocalBus.connect(path)
    asking = asyncio.create_task(child.ask(QUESTION))
    assert await process.stdout.readline() == b"asked\n"
    process.send_signal(signal.SIGKILL)
    with pytest.raises(Unavailable, match="bus_lost"):
        await asking
    await child.closed.wait()
    await child.close()
    await process.wait()
    next_server = await LocalBusServer.open(MemoryBus(), path)
    await (await LocalBus.connect(path)).close()
    await next_server.close()


async def test_of_several_children_the_latest_that_lives_answers(parent: Parent) -> None:
    children = [await LocalBus.connect(parent.path) for _ in range(2)]
    for permissions, child in enumerate(children):
        await child.answer(WhatMayUserDo, answering(permissions))
    assert (await parent.bus.ask(QUESTION)).permissions == 1
    await children[1].close()
    while await outcome(parent.bus) != 0:
        pass
    await children[0].close()
    while await outcome(parent.bus) != "nobody_answers":
        pass
    late = await LocalBus.connect(parent.path)
    await late.answer(WhatMayUserDo, answering(permissions=9))
    assert await outcome(parent.bus) == 9
    await late.close()


async def outcome(bus: MemoryBus) -> int | str:
    """Return the answer, or the code of the refusal; the parent may not have noticed yet."""
    await asyncio.sleep(0)
    try:
        return (await bus.ask(QUESTION)).permissions
    except Unavailable as refusal:
        return refusal.code


async def test_garbage_ends_the_connection_and_nothing_else(parent: Parent) -> None:
    child = await LocalBus.connect(parent.path)
    await parent.bus.answer(WhatMayUserDo, answering(3))
    for garbage in (
        b"\x00\x00\x00\x01\xc1",
        b"\x00\x00\x00\x02\x81\xa4",
        (MESSAGE_BYTES_MAX + 1).to_bytes(4, "big"),
        b"\x00\x00\x10\x02\x81" + b"\x91" * 4097,
        b"\x00\x00\x00\x09\x81\xa4type\xa2\xff\xfe",
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        reader, writer = await asyncio.open_unix_connection(parent.path)
        writer.write(garbage)
        assert await reader.read() == b""
        writer.close()
    assert (await child.ask(QUESTION)).permissions == 3
    await child.close()


async def test_a_child_that_does_not_read_costs_only_itself(parent: Parent) -> None:
    """The parent publishes far more than a stalled child's connection may hold."""
    stalled = await LocalBus.connect(parent.path)
    listening = await LocalBus.connect(parent.path)
    heard = asyncio.Event()

    async def ignore(event: VoiceRights) -> None: ...

    async def hear(event: VoiceRights) -> None:
        if event.generation == -1:
            heard.set()

    await stalled.subscribe(VoiceRights, ignore)
    await listening.subscribe(VoiceRights, hear)
    stalled._link._reader._transport.pause_reading()
    with capture_logs() as logs:
        for generation in range(60_000):
            await parent.bus.publish(rights(generation))
            if generation % 100 == 0:
                await asyncio.sleep(0)
        await parent.bus.publish(rights(-1))
        await heard.wait()
    assert {entry["event"] for entry in logs} == {"message_dropped"}
    assert max(entry["unread"] for entry in logs) < 2 * UNREAD_BYTES_MAX
    await listening.close()
    await stalled.close()


async def test_a_child_keeps_no_more_questions_than_it_may(tmp_path: Path) -> None:
    """The parent of this test accepts and says nothing."""
    path = tmp_path / "bus.sock"
    parent = await asyncio.start_unix_server(lambda _, writer: silent.append(writer), path)
    silent = list[asyncio.StreamWriter]()
    child = await LocalBus.connect(path)
    asking = [asyncio.create_task(child.ask(QUESTION)) for _ in range(ANSWERS_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="bus_busy"):
        await child.ask(QUESTION)
    await child.close()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert {str(outcome)[:8] for outcome in outcomes} == {"bus_lost"}
    for writer in silent:
        writer.close()
    parent.close()
