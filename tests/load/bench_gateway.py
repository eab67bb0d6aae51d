"""What it costs to tell many: one event to two thousand sockets, and ten thousand that are idle.

``python -m tests.load.bench_gateway [--json FILE] [--sockets N] [--idle N] [--rounds N]``. The
gateway runs in this process, its clients in another one on the same machine. Times run from the
record in the journal until the last client has the event; CPU is this process's, all of it.
"""

import argparse
import asyncio
import ctypes
import gc
import json
import resource
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import uvloop

from sidetone.community import Community
from sidetone.gateway.domain.policy import Policy
from sidetone.protocol.events import Fact, InChannel, MessageSent
from sidetone.protocol.ids import ChannelId, FactId, MessageId
from sidetone.protocol.messages import Message
from tests.gateway_stage import Town, gateway_stage
from tests.surroundings import Topology

# Clients that only count say no heartbeats.
POLICY = Policy(silence_ms=3_600_000)
MEMBERS_OF_ONE = 200
COALESCED = 4
PAUSE_SECONDS = 0.1


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_bytes() -> int:
    """Return what this process holds, after what is free was given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with Path("/proc/self/smaps_rollup").open() as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))


class Clients:
    """The other process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def open(self, tokens: list[str]) -> None:
        await self._say("\n".join([*tokens, "", ""]))
        assert await self._heard() == "open"

    async def expect(self, events: int) -> None:
        await self._say(f"round {events}\n")

    async def last_ns(self) -> int:
        return int(await self._heard())

    async def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        await self._process.stdin.drain()

    async def _heard(self) -> str:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise SystemExit("the clients ended early; their reason stands above")
        return line.decode().strip()


@asynccontextmanager
async def clients_of(port: int) -> AsyncGenerator[Clients]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.load.gateway_clients", str(port), stdin=PIPE, stdout=PIPE
    )
    try:
        yield Clients(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def message_in(server: Community, channel: ChannelId) -> MessageSent:
    author = server.server.owner
    text = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor."
    return MessageSent(Message(MessageId(uuid4()), server.server.id, channel, author, text))


async def tell(town: Town, server: Community, events: int) -> None:
    channel = ChannelId(next(iter(server.channels)))
    where = InChannel(server.server.id, channel)
    message = message_in(server, channel)
    await town.around.journal.record(
        [Fact(FactId(uuid4()), where, message) for _ in range(events)]
    )


async def fan_out(
    town: Town, server: Community, clients: Clients, rounds: int, events: int
) -> tuple[list[float], float]:
    """Return how long each round took to the last client in ms, and the CPU seconds of all."""
    took_ms: list[float] = []
    await asyncio.sleep(PAUSE_SECONDS)
    cpu = cpu_seconds()
    for _ in range(rounds):
        await clients.expect(events)
        await asyncio.sleep(PAUSE_SECONDS)
        began_ns = time.monotonic_ns()
        await tell(town, server, events)
        took_ms.append((await clients.last_ns() - began_ns) / 1e6)
    return took_ms, cpu_seconds() - cpu


async def idle_cpu(seconds: float) -> float:
    cpu = cpu_seconds()
    await asyncio.sleep(seconds)
    return (cpu_seconds() - cpu) / seconds


async def measure_fan_out(topology: Topology, sockets: int, rounds: int) -> dict[str, float]:
    async with gateway_stage(topology, POLICY) as (town, port), clients_of(port) as clients:
        users = [town.user() for _ in range(sockets)]
        server = town.server(*users)
        await clients.open([town.token(user) for user in users])
        gc.collect()
        gc.freeze()
        await fan_out(town, server, clients, 5, 1)
        idle = await idle_cpu(2.0)
        took_ms, cpu = await fan_out(town, server, clients, rounds, 1)
        busy = cpu - idle * PAUSE_SECONDS * (rounds + 1)
        _, coalesced_cpu = await fan_out(town, server, clients, rounds, COALESCED)
        coalesced = coalesced_cpu - idle * PAUSE_SECONDS * (rounds + 1)
        return {
            "fanout_last_ms": round(statistics.median(took_ms), 1),
            "fanout_last_worst_ms": round(max(took_ms), 1),
            "fanout_cpu_us": round(busy * 1e6 / (rounds * sockets), 2),
            "fanout_coalesced_cpu_us": round(coalesced * 1e6 / (rounds * sockets * COALESCED), 2),
        }


async def measure_idle(topology: Topology, sockets: int) -> dict[str, float]:
    async with gateway_stage(topology, POLICY) as (town, port), clients_of(port) as clients:
        users = [town.user() for _ in range(sockets)]
        servers = [
            town.server(*users[at : at + MEMBERS_OF_ONE])
            for at in range(0, sockets, MEMBERS_OF_ONE)
        ]
        tokens = [town.token(user) for user in users]
        before = resident_bytes()
        began = time.monotonic()
        await clients.open(tokens)
        opened_seconds = time.monotonic() - began
        await asyncio.sleep(1)
        each = (resident_bytes() - before) / sockets
        cpu = await idle_cpu(3.0)
        # All of them are really there: each hears of its server.
        await clients.expect(1)
        for server in servers:
            await tell(town, server, 1)
        await clients.last_ns()
        return {
            "idle_sockets": sockets,
            "idle_socket_bytes": round(each),
            "idle_cpu_percent": round(cpu * 100, 1),
            "identify_per_s": round(sockets / opened_seconds),
        }


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sockets", type=int, default=2_000)
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--topology", choices=["embedded", "distributed"], action="append")
    options = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    found: dict[str, dict[str, float]] = {}
    for topology in options.topology or ["embedded", "distributed"]:
        name = "embedded" if topology == "embedded" else "engines"
        found[name] = {
            **await measure_fan_out(topology, options.sockets, options.rounds),
            **await measure_idle(topology, options.idle),
        }
        print(name, json.dumps(found[name]), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    uvloop.run(main())
