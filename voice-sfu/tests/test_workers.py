"""The workers of one machine: started together, replaced one by one, ended in order."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sidetone.bus.local import LocalBusServer
from sidetone.bus.memory import MemoryBus
from sidetone.protocol.events import NodeAlive, NodeLost
from sidetone.protocol.voice_control import Leave, Move
from sidetone.runtime.start import StartError
from sidetone.runtime.tls import Identity
from sidetone.voice_sfu.infrastructure.worker import Place
from sidetone.voice_sfu.infrastructure.workers import Workers, cores, environment_with, places
from sidetone.voice_sfu.settings import WorkerSettings
from tests.load.sfu_stage import VoiceDesk, connected, free_ports_in_a_row

REPLACED_SECONDS_MAX = 1.0


class Machine:
    """A bus with a voice service on it, and what the workers of this machine tell there."""

    def __init__(self, bus: MemoryBus, folder: Path) -> None:
        self.bus = bus
        self.desk = VoiceDesk()
        self.alive: asyncio.Queue[NodeAlive] = asyncio.Queue()
        self.lost: asyncio.Queue[NodeLost] = asyncio.Queue()
        self.environment = environment_with(
            os.environ,
            bus=f"local:{folder / 'bus.sock'}",
            tls_folder=str(folder / "tls"),
            host="127.0.0.1",
            drain_seconds="1",
        )

    @asynccontextmanager
    async def workers(self, *wanted: Place, **settings: str) -> AsyncGenerator[Workers]:
        workers = Workers(self.bus, environment_with(self.environment, **settings), wanted)
        await workers.start()
        try:
            yield workers
        finally:
            await workers.stop()

    async def next_alive(self, which: Callable[[NodeAlive], bool]) -> NodeAlive:
        async with asyncio.timeout(20):
            while not which(alive := await self.alive.get()):
                pass
        return alive


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncGenerator[Machine]:
    async with AsyncExitStack() as stack:
        bus = MemoryBus()
        stack.push_async_callback(bus.close)
        bridge = await LocalBusServer.open(bus, tmp_path / "bus.sock")
        stack.push_async_callback(bridge.close)
        Identity.open(tmp_path / "tls", [], time.time_ns() // 1_000_000)
        machine = Machine(bus, tmp_path)
        await machine.desk.open(bus)
        await bus.subscribe(NodeAlive, machine.alive.put)
        await bus.subscribe(NodeLost, machine.lost.put)
        yield machine


def pids(workers: Workers) -> list[int]:
    return [worker.pid for worker in workers.working]


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_each_worker_is_a_node_of_its_own_with_a_port_of_its_own(machine: Machine) -> None:
    first = free_ports_in_a_row(socket.SOCK_DGRAM)
    async with machine.workers(*places(2, first, 0)) as workers:
        assert [at.port for at in workers.listening] == [first, first + 1]
        assert len({at.node for at in workers.listening}) == 2
        for at in workers.listening:
            async with connected(at.port) as ann:
                await ann.join(machine.desk.ticket(at.node))
        assert (await machine.next_alive(lambda alive: alive.port == first)).cpu_percent < 100
    assert machine.lost.empty()


async def test_a_killed_worker_is_told_lost_and_replaced_within_a_second(
    machine: Machine,
) -> None:
    async with machine.workers(Place(), Place()) as workers:
        dies, stays = workers.listening
        await workers.stand_by()
        killed_at = time.monotonic()
        os.kill(pids(workers)[0], signal.SIGKILL)
        async with asyncio.timeout(10):
            assert await machine.lost.get() == NodeLost(dies.node)
        lost_seconds = time.monotonic() - killed_at
        new = await machine.next_alive(lambda alive: alive.node not in {dies.node, stays.node})
        replaced_seconds = time.monotonic() - killed_at
        assert lost_seconds < replaced_seconds < REPLACED_SECONDS_MAX
        # Its heartbeat may be here before its own word to the supervisor.
        await _until(lambda: [at.node for at in workers.listening] == [new.node, stays.node])
        async with connected(new.port) as ann:
            await ann.join(machine.desk.ticket(new.node))


async def test_the_replacement_has_the_port_of_the_dead(machine: Machine) -> None:
    first = free_ports_in_a_row(socket.SOCK_DGRAM)
    async with machine.workers(*places(1, first, 0)) as workers:
        (dies,) = workers.listening
        os.kill(pids(workers)[0], signal.SIGKILL)
        assert (await machine.next_alive(lambda alive: alive.node != dies.node)).port == first


async def test_a_spare_one_that_died_stops_nothing(machine: Machine) -> None:
    async with machine.workers(Place()) as workers:
        await workers.stand_by()
        (spare,) = {child.pid for child in workers._children} - set(pids(workers))
        (dies,) = workers.listening
        os.kill(spare, signal.SIGKILL)
        os.kill(pids(workers)[0], signal.SIGKILL)
        await machine.next_alive(lambda alive: alive.node != dies.node)


async def test_members_are_moved_and_nothing_is_left_behind(machine: Machine) -> None:
    async with AsyncExitStack() as stack:
        workers = await stack.enter_async_context(machine.workers(Place(), Place()))
        await workers.stand_by()
        children = {child.pid for child in workers._children}
        members: list[Any] = []
        for at in workers.listening:
            member = await stack.enter_async_context(connected(at.port))
            await member.join(machine.desk.ticket(at.node))
            members.append(member)
        stopping = asyncio.create_task(workers.stop())
        for member in members:
            assert (await member.told(Move)).reason == "node_draining"
            member.tell(Leave())
        await stopping
        assert len(children) == 3
        assert all(map(gone, children))
    assert machine.lost.empty()


@pytest.mark.parametrize("which", [0, 1])
async def test_a_port_in_use_is_one_reason_and_none_is_left(machine: Machine, which: int) -> None:
    first = free_ports_in_a_row(socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", first + which))
        workers = Workers(machine.bus, machine.environment, places(2, first, 0))
        told = (
            f"voice worker {which + 1} of 2 did not start: UDP port {first + which} of 127.0.0.1"
        )
        with pytest.raises(StartError, match=told):
            await workers.start()
    assert not any(child.lives for child in workers._children)


async def test_a_wrong_setting_is_told_in_the_words_of_the_worker(machine: Machine) -> None:
    with pytest.raises(StartError, match="SIDETONE_SFU_ROOM_MEMBERS_MAX cannot be used"):
        async with machine.workers(Place(), room_members_max="many"):
            pass


async def test_who_cannot_start_again_waits_and_is_told_once(machine: Machine) -> None:
    first = free_ports_in_a_row(socket.SOCK_DGRAM)
    with capture_logs() as logs:
        async with machine.workers(*places(1, first, 0)) as workers:
            await workers.stand_by()
            (dies,) = workers.listening
            os.kill(pids(workers)[0], signal.SIGKILL)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
                await _take(taken, first)
                await _until(lambda: _told(logs, "voice_worker_not_started") != [])
                # It goes on trying, and says no more.
                spawned: set[int] = set()

                def tried_thrice() -> bool:
                    spawned.update(child.pid for child in workers._children)
                    return len(spawned) >= 3

                await _until(tried_thrice)
            await machine.next_alive(lambda alive: alive.node != dies.node)
            await _until(lambda: _told(logs, "voice_worker_replaced") != [])
    (ended,) = _told(logs, "voice_worker_ended")
    assert (ended["port"], ended["status"]) == (first, -signal.SIGKILL)
    (tried,) = _told(logs, "voice_worker_not_started")
    assert f"UDP port {first} of 127.0.0.1 cannot be opened" in tried["reason"]


def _told(logs: Sequence[Mapping[str, Any]], event: str) -> list[Mapping[str, Any]]:
    return [line for line in logs if line["event"] == event]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - neither logs nor processes can be waited for
            await asyncio.sleep(0.05)


async def _take(taken: socket.socket, port: int) -> None:
    """Bind before the replacement can."""
    while True:
        try:
            taken.bind(("127.0.0.1", port))
        except OSError:
            await asyncio.sleep(0)
        else:
            return


def test_ports_come_in_a_row_or_are_any() -> None:
    assert places(3, 7700, 9100) == [Place(7700, 9100), Place(7701, 9101), Place(7702, 9102)]
    assert places(2, 0, 0) == [Place(), Place()]
    with pytest.raises(StartError, match="3 voice workers from UDP port 65534 on"):
        places(3, 65_534, 0)
    assert places(2, 65_534, 0)[-1].port == 65_535
    with pytest.raises(StartError, match="from metrics port 65535 on"):
        places(2, 7700, 65_535)


def test_there_is_one_worker_for_each_core_unless_somebody_says_otherwise() -> None:
    assert WorkerSettings().count() == cores() >= 1
    assert WorkerSettings(workers=3).count() == 3
    assert WorkerSettings(evidence="x").count() == 1
    with pytest.raises(StartError, match="SIDETONE_SFU_EVIDENCE is the file of one worker"):
        WorkerSettings(evidence="x", workers=2).count()


def test_a_setting_replaces_the_file_that_held_it() -> None:
    before = {"SIDETONE_SFU_BUS_FILE": "/run/secrets/bus", "PATH": "/bin"}
    assert environment_with(before, bus="local:x", workers=None) == {
        "SIDETONE_SFU_BUS": "local:x",
        "PATH": "/bin",
    }
    assert environment_with(before, workers=None) == before
