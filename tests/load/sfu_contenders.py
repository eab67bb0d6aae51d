"""Who is measured by `bench_sfu`: the unit as it is, the unit without kernels, Mumble, a loop."""

import asyncio
import ctypes
import random
import statistics
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from sidetone.native import prepare
from sidetone.protocol.events import NodeAlive
from sidetone.protocol.ids import ChannelId
from sidetone.voice_sfu.infrastructure.fastpath import loop, self_test
from sidetone.voice_sfu.infrastructure.fastpath.fast_path import LOOK_SECONDS
from tests.load import raw_loop
from tests.load.mumble import murmurd
from tests.load.mumble_crowd import MumbleCrowd
from tests.load.sfu_crowd import SfuCrowd
from tests.load.sfu_members import ACKS, CLOSES, FRAMES, PACKETS, UNREADABLE
from tests.load.sfu_stage import VoiceDesk
from tests.load.soak_sfu import unit_process
from tests.load.udp_crowd import SETTLE_SECONDS, Watched

Figures = dict[str, Any]

WARM_UP_SECONDS: Final = 1.0
JOINS: Final = 100

_NOBODYS = UUID(int=0xFFFF)
# All clients are one host here, and a room may be as large as rooms get.
_SETTINGS: Final = {
    "workers": "1",
    "room_members_max": "1000",
    "half_open_max": "10000",
    "half_open_per_prefix_max": "10000",
}


class Case(msgspec.Struct, frozen=True):
    """So many rooms, members of each, and speakers of these."""

    rooms: int
    members: int
    speakers: int

    @classmethod
    def parse(cls, text: str) -> "Case":
        """Read ``1x200x4``."""
        return cls(*map(int, text.split("x")))

    def __str__(self) -> str:
        return f"{self.rooms}x{self.members}x{self.speakers}"

    def speaking(self) -> list[int]:
        """Return the places of those who speak, in any order."""
        found = [
            room * self.members + place
            for room in range(self.rooms)
            for place in range(self.speakers)
        ]
        random.shuffle(found)
        return found


class Contender(Protocol):
    """Something that forwards, for a crowd of its own."""

    async def rest(self) -> None:
        """Keep its connections alive."""
        ...

    async def run(self, seconds: float) -> Figures:
        """Forward for a while; *us* among the figures is what a frame costs."""
        ...


class SfuContender:
    """A unit in a process of its own, and its crowd."""

    def __init__(self, case: Case, alive: NodeAlive, desk: VoiceDesk, watched: Watched) -> None:
        self.alive = alive
        self.desk = desk
        self.watched = watched
        self.crowd = SfuCrowd(alive, desk)
        self.join_ms = 0.0
        self.member_kib = 0.0
        self._case = case
        self._speaking = case.speaking()

    @classmethod
    @asynccontextmanager
    async def open(cls, case: Case, **settings: str) -> AsyncGenerator["SfuContender"]:
        """Start a unit and let everybody join."""
        desk = VoiceDesk()
        with tempfile.TemporaryDirectory(prefix="sidetone-bench-") as name:
            async with unit_process(Path(name), desk, **_SETTINGS, **settings) as (unit, alive, _):
                made = cls(case, alive, desk, Watched(unit.pid))
                try:
                    await made._enter()
                    yield made
                finally:
                    made.crowd.close()

    async def rest(self) -> None:
        """Let the unit know that all live."""
        self.crowd.tend(pings=True)
        await self.crowd.settle()

    async def run(self, seconds: float) -> Figures:
        """Let the speakers speak."""
        cpu = self.watched.cpu_ns()
        said = await self.crowd.talk(self._speaking, seconds)
        cpu = self.watched.cpu_ns() - cpu
        frames, due = self.crowd.count(FRAMES), said * (self._case.members - 1)
        if due > 0 and frames == 0:
            raise RuntimeError("the unit has let everybody go: this machine is too busy")
        return {
            "us": cpu / 1000 / max(1, frames),
            "delivered": frames,
            "due": due,
            "delivered_ratio": frames / due,
            "packets_per_frame": self.crowd.count(PACKETS) / max(1, frames),
            "acks": self.crowd.count(ACKS),
            "unreadable": self.crowd.count(UNREADABLE),
            "closes": self.crowd.count(CLOSES),
            "p50": self.crowd.delay_ms(50),
            "p99": self.crowd.delay_ms(99),
            "late_ms": self.crowd.lateness_ms(),
            "cpu_share": cpu / 1e9 / seconds,
        }

    async def _enter(self) -> None:
        """Let everybody join, after two whose memory and time are the first uses of everything."""
        first = SfuCrowd(self.alive, self.desk)
        await first.join([ChannelId(_NOBODYS)] * 2)
        await first.talk([0, 1], WARM_UP_SECONDS)
        kib, cpu = self.watched.rss_kib(), self.watched.cpu_ns()
        channels = [
            channel_of(room) for room in range(self._case.rooms) for _ in range(self._case.members)
        ]
        await self.crowd.join(channels)
        await self.crowd.settle()
        self.join_ms = (self.watched.cpu_ns() - cpu) / 1e6 / len(channels)
        first.close()
        await self.crowd.talk(self._speaking, WARM_UP_SECONDS)
        await self._forget_handshakes()
        self.member_kib = (self.watched.rss_kib() - kib) / len(channels)

    async def _forget_handshakes(self) -> None:
        """Wait until the unit has given back what it needed for handshakes alone."""
        for _ in range(round(LOOK_SECONDS) + 1):
            await asyncio.sleep(1)
            await self.rest()


class MumbleContender:
    """Mumble's server, and its crowd."""

    def __init__(self, case: Case, crowd: MumbleCrowd, watched: Watched) -> None:
        self._case = case
        self._crowd = crowd
        self._watched = watched
        self._speaking = case.speaking()

    @classmethod
    @asynccontextmanager
    async def open(cls, case: Case, binary: str) -> AsyncGenerator["MumbleContender"]:
        """Start the server and let everybody join."""
        with murmurd(binary) as (watched, port):
            crowd = MumbleCrowd(port)
            try:
                await asyncio.to_thread(crowd.join, case.rooms, case.members)
                made = cls(case, crowd, watched)
                await crowd.talk(made._speaking, WARM_UP_SECONDS)
                yield made
            finally:
                crowd.close()

    async def rest(self) -> None:
        """Let the server know that all live."""
        self._crowd.tend()
        await asyncio.sleep(SETTLE_SECONDS)

    async def run(self, seconds: float) -> Figures:
        """Let the speakers speak."""
        said = self._crowd.prepare(self._speaking, seconds)
        cpu = self._watched.cpu_ns()
        await self._crowd.talk_prepared(said)
        cpu = self._watched.cpu_ns() - cpu
        due = said.count * (self._case.members - 1)
        return {
            "us": cpu / 1000 / max(1, self._crowd.frames()),
            "delivered_ratio": self._crowd.frames() / due,
            "opened": self._crowd.opened,
            "unopened": self._crowd.unopened,
            "p50": self._crowd.delay_ms(50),
            "p99": self._crowd.delay_ms(99),
            "late_ms": self._crowd.lateness_ms(),
        }


class RawContender:
    """The loop in C."""

    def __init__(self, case: Case, library: ctypes.CDLL) -> None:
        self._case = (case.rooms, case.members, case.speakers)
        self._library = library

    async def rest(self) -> None:
        """Do nothing: there are no connections."""

    async def run(self, seconds: float) -> Figures:
        """Seal and send."""
        us = await asyncio.to_thread(raw_loop.measure, self._library, self._case, seconds)
        return {"us": us}


def channel_of(room: int) -> ChannelId:
    """Return the channel of a room of a case."""
    return ChannelId(UUID(int=1 + room))


def compile_kernels() -> None:
    """Compile what a unit will need, so that it starts in time and has no other work."""
    self_test.check()
    prepare(loop.run)


async def join_cost() -> float:
    """Return ms of the unit's CPU for a member that comes into a room of its own."""
    async with SfuContender.open(Case(JOINS, 1, 1)) as alone:
        return alone.join_ms


def median_of(runs: list[Figures] | None, key: str) -> float | None:
    """Return the median of one figure of all runs; None if there were none."""
    return statistics.median(run[key] for run in runs) if runs else None


def ratio_of(mine: list[Figures], theirs: list[Figures] | None, key: str) -> float | None:
    """Return the median of the ratios of runs that followed each other."""
    if not theirs:
        return None
    return statistics.median(a[key] / b[key] for a, b in zip(mine, theirs, strict=True))
