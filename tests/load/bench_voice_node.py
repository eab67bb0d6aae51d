"""Voice node inside the server's process or beside it: what busy HTTP does to a frame's delay.

``python -m tests.load.bench_voice_node [--seconds N]``: for each shape one speaker sends a frame
every 10 ms through the node to one listener, first in peace, then while a third process logs in
and lists servers as fast as the server answers. Prints delays in ms; compare rows of one run only.
"""

import argparse
import asyncio
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np

from sidetone.all_in_one.app import build
from sidetone.all_in_one.settings import Settings
from sidetone.bus.memory import MemoryBus
from sidetone.client.api import Api
from sidetone.client.client import Client as Member
from sidetone.client.pinned import Endpoint
from sidetone.client.requests import Requests
from sidetone.credentials.pins import Address
from sidetone.protocol.ids import ChannelId
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import run, serving, stop_requested
from sidetone.runtime.tls import Identity
from sidetone.storage.memory import MemoryKeyValue
from sidetone.storage.sqlite import SqliteDatabase
from sidetone.voice_sfu import app as voice_sfu
from tests.load.sfu_stage import Client, connected, frame

FRAME_SECONDS = 0.01
PASSWORD = "a long enough passphrase"
SENT_AT = struct.Struct(">d")


async def serve_inside(data: Path) -> None:
    """Run the services and the node in this one process: the shape that is not shipped."""
    clock, bus = SystemClock(), MemoryBus()
    identity = Identity.open(data / "tls", ["127.0.0.1"], clock.now_ms())
    database = await SqliteDatabase.open(data / "sidetone.sqlite3")
    policy = Settings(10_000, 10_000, 10_000).policy()
    app = await build(database, MemoryKeyValue(), bus, clock, policy)
    async with (
        serving(app, "127.0.0.1", 0, clock=clock, identity=identity) as port,
        voice_sfu.serving(bus, clock, identity, voice_sfu.Options()),
    ):
        print(f"Sidetone is up: {Address('127.0.0.1', port, identity.spki_sha256)}", flush=True)
        await stop_requested()


@asynccontextmanager
async def process(*arguments: str) -> AsyncGenerator[str]:
    """Run a server; give its address."""
    limits = {
        "SIDETONE_REGISTRATIONS_PER_MINUTE": "10000",
        "SIDETONE_LOGINS_PER_MINUTE": "10000",
        "SIDETONE_LOGINS_PER_MINUTE_AND_ACCOUNT": "10000",
    }
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **limits},
    )
    assert server.stdout is not None
    line = (await server.stdout.readline()).decode()
    try:
        yield line.split()[-1]
    finally:
        server.kill()
        await server.wait()


async def load(address: str, name: str) -> None:
    """Keep the server busy: three clients list servers, one logs in again and again."""

    async def work(*, logs_in: bool) -> None:
        requests = Requests(Endpoint(address))
        api = Api(requests)
        await api.accounts.log_in(name, PASSWORD)
        while True:
            await (api.accounts.log_in(name, PASSWORD) if logs_in else api.servers.mine())

    await asyncio.gather(*(work(logs_in=number == 0) for number in range(4)))


async def enter(member: Member, channel: ChannelId, port_of_node: list[int]) -> bytes:
    """Return a ticket for *channel* and note the node's port."""
    ticket = await member.api.voice.join(channel, member.device)
    port_of_node.append(ticket.port)
    return ticket.ticket


async def delays_ms(speaker: Client, listener: Client, seconds: float) -> list[float]:
    """Send frames at an even pace; return how long each took."""
    count = int(seconds / FRAME_SECONDS)
    start = time.monotonic()

    async def speak() -> None:
        for number in range(count):
            await asyncio.sleep(max(0.0, start + number * FRAME_SECONDS - time.monotonic()))
            speaker.say(frame(speaker.sender, payload=SENT_AT.pack(time.monotonic()) + bytes(160)))

    async def hear() -> list[float]:
        found: list[float] = []
        while len(found) < count:
            try:
                data = await asyncio.wait_for(listener.frames.get(), 2.0)
            except TimeoutError:
                break
            found.append((time.monotonic() - SENT_AT.unpack_from(data, 8)[0]) * 1000)
        return found

    _, found = await asyncio.gather(speak(), hear())
    return found


async def measure(shape: str, address: str, folder: Path, seconds: float) -> None:
    """Print both rows of one shape."""
    async with Member(address, data_dir=folder) as ann, Member(address, data_dir=folder) as bob:
        await ann.register("ann", PASSWORD)
        await bob.register("bob", PASSWORD)
        home = await ann.api.servers.create("bench")
        await bob.api.servers.accept_invite((await ann.api.servers.invite(home.id)).code)
        channel = (await ann.find_channel("Lounge")).id
        ports: list[int] = []
        tickets = [await enter(member, channel, ports) for member in (ann, bob)]
        async with connected(ports[0]) as speaker, connected(ports[0]) as listener:
            await speaker.join(tickets[0])
            await listener.join(tickets[1])
            row(shape, "quiet", await delays_ms(speaker, listener, seconds), seconds)
            busy = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.load.bench_voice_node", "--load", address, "ann"
            )
            await asyncio.sleep(3)
            row(shape, "busy HTTP", await delays_ms(speaker, listener, seconds), seconds)
            busy.kill()
            await busy.wait()


def row(shape: str, weather: str, found: list[float], seconds: float) -> None:
    """Print one line of figures."""
    p50, p95, p99 = np.percentile(found, [50, 95, 99])
    lost = int(seconds / FRAME_SECONDS) - len(found)
    print(
        f"{shape:8} {weather:10} p50 {p50:6.2f}  p95 {p95:6.2f}  p99 {p99:6.2f}  "
        f"max {max(found):7.2f} ms  lost {lost}",
        flush=True,
    )


async def main(seconds: float) -> None:
    """Measure both shapes."""
    for shape in ("child", "inside"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            arguments = (
                ("-m", "sidetone.all_in_one", "serve", "--host", "127.0.0.1", "--port", "0")
                if shape == "child"
                else ("-m", "tests.load.bench_voice_node", "--serve-inside")
            )
            data = ("--data", str(folder / "server"))
            (folder / "server").mkdir(mode=0o700)
            async with process(*arguments, *data) as address:
                await measure(shape, address, folder / "clients", seconds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--serve-inside", action="store_true")
    parser.add_argument("--data", type=Path, default=Path())
    parser.add_argument("--load", nargs=2)
    chosen = parser.parse_args()
    if chosen.serve_inside:
        run(lambda: serve_inside(chosen.data))
    elif chosen.load:
        run(lambda: load(*chosen.load))
    else:
        run(lambda: main(chosen.seconds))
