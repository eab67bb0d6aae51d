"""A whole server for tests: real services over pinned TLS, forwarding units in this process."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import sidetone.auth.app
from sidetone.all_in_one.app import Policies, build
from sidetone.audio.tracks import Track
from sidetone.bus import Bus
from sidetone.bus.local import LocalBusServer
from sidetone.bus.memory import MemoryBus
from sidetone.client.call import Call
from sidetone.client.client import Client
from sidetone.credentials.pins import Address
from sidetone.protocol.events import NodeAlive
from sidetone.protocol.refusals import Conflict
from sidetone.protocol.servers import Channel
from sidetone.runtime.clock import SystemClock
from sidetone.runtime.process import serving
from sidetone.runtime.tls import Identity
from sidetone.storage.files_folder import FolderFiles
from sidetone.voice_sfu import app as voice_sfu
from tests.surroundings import CHEAP, open_surroundings
from tests.waiting import until

PASSWORD = "nine quiet otters hum"
POLICIES = Policies(auth=sidetone.auth.app.Policy(password_cost=CHEAP)).with_limits_raised(1_000)


class Home:
    """A server, the clients that use it, and the forwarding units that carry its calls."""

    def __init__(self, folder: Path, bus: Bus, identity: Identity, port: int) -> None:
        self.folder = folder
        self.bus = bus
        self.identity = identity
        self.address = str(Address("127.0.0.1", port, identity.spki_sha256))
        self.clients: AsyncExitStack = AsyncExitStack()
        self._names = 0
        self._nodes: set[int] = set()

    @asynccontextmanager
    async def unit(self) -> AsyncGenerator[voice_sfu.Unit]:
        """Run a forwarding unit, ready for joins."""
        options = voice_sfu.Options(drain_seconds=2.0)
        async with voice_sfu.serving(self.bus, SystemClock(), self.identity, options) as unit:
            await asyncio.wait_for(unit.briefed.wait(), 5)
            yield unit

    @asynccontextmanager
    async def child_unit(self, port: int = 0) -> AsyncGenerator[tuple[Process, int]]:
        """Run a forwarding unit as a process of its own; give it and its port."""
        alive: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def heard(node: NodeAlive) -> None:
            if node.node not in self._nodes and not alive.done():
                self._nodes.add(node.node)
                alive.set_result(node.port)

        unsubscribe = await self.bus.subscribe(NodeAlive, heard)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sidetone.voice_sfu",
            env={
                **os.environ,
                "SIDETONE_SFU_BUS": f"local:{self.folder / 'bus'}",
                "SIDETONE_SFU_TLS_FOLDER": str(self.folder / "tls"),
                "SIDETONE_SFU_HOST": "127.0.0.1",
                "SIDETONE_SFU_PORT": str(port),
                "SIDETONE_SFU_DRAIN_SECONDS": "1",
            },
            stdout=DEVNULL,
        )
        try:
            yield child, await asyncio.wait_for(alive, 20)
        finally:
            await unsubscribe()
            if child.returncode is None:
                child.kill()
            await child.wait()

    @staticmethod
    @asynccontextmanager
    async def stray_unit(identity: Identity) -> AsyncGenerator[voice_sfu.Unit]:
        """Run a forwarding unit that belongs to no server."""
        async with voice_sfu.serving(
            MemoryBus(), SystemClock(), identity, voice_sfu.Options()
        ) as unit:
            yield unit

    async def client(self, **wishes: Any) -> Client:
        """Return the client of a new account."""
        self._names += 1
        wishes.setdefault("data_dir", self.folder / f"client{self._names}")
        client = await self.clients.enter_async_context(Client(self.address, **wishes))
        await client.register(f"user{self._names}", PASSWORD)
        return client

    async def lounge(self, *clients: Client) -> Channel:
        """Return the voice channel of a new server that all *clients* are in."""
        founder = clients[0].api
        server = await founder.servers.create("Crew")
        for client in clients[1:]:
            await client.api.servers.accept_invite((await founder.servers.invite(server.id)).code)
        (lounge,) = (c for c in await founder.channels.of(server.id) if c.kind == "voice")
        return lounge


@asynccontextmanager
async def open_home(folder: Path) -> AsyncGenerator[Home]:
    """Run a server whose files are in *folder*."""
    async with AsyncExitStack() as stack:
        around = await stack.enter_async_context(open_surroundings("embedded"))
        identity = Identity.open(folder / "tls", ["localhost"], around.clock.now_ms())
        bridge = await LocalBusServer.open(around.bus, folder / "bus")
        stack.push_async_callback(bridge.close)
        app = await build(around, FolderFiles(folder / "files"), POLICIES)
        port = await stack.enter_async_context(
            serving(
                app.http,
                "127.0.0.1",
                0,
                clock=around.clock,
                identity=identity,
                upgrades=app.gateway,
            )
        )
        home = Home(folder, around.bus, identity, port)
        await stack.enter_async_context(home.clients)
        yield home


def tone(hertz: float, seconds: float) -> NDArray[np.float32]:
    """Return a tone that comes and goes four times a second, as speech does."""
    t = np.arange(int(48_000 * seconds)) / 48_000
    envelope = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * t)
    return (0.4 * envelope * np.sin(2 * np.pi * hertz * t)).astype(np.float32)


def pitch(track: Track) -> float:
    """Return the strongest frequency of what was heard, in Hz."""
    samples = track.samples()
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * 48_000 / len(samples))


def keep_saying(call: Call, hertz: float) -> Coroutine[Any, Any, None]:
    """Say a tone until cancelled."""

    async def say() -> None:
        while True:
            await call.play(tone(hertz, 2.0))

    return say()


@asynccontextmanager
async def saying(call: Call, hertz: float = 440) -> AsyncGenerator[None]:
    """Let *call* say a tone over and over."""
    talk = asyncio.create_task(keep_saying(call, hertz))
    try:
        yield
    finally:
        talk.cancel()
        with suppress(asyncio.CancelledError, Conflict):
            await talk


async def in_step(*calls: Call) -> None:
    """Wait until all *calls* are in one group of exactly them."""
    await until(
        lambda: (
            len({call.code for call in calls}) == 1
            and all(len(call.participants) == len(calls) for call in calls)
        )
    )
