"""Fifty members in one channel, two of them speaking, on one forwarding unit.

The unit is a process of its own, reached over the local bus and real QUIC. Measured from outside:
its memory (flat after the warm-up), its log (nothing unhandled), what of the frames arrives, and
its CPU per forwarded frame. Prints a table and one line of JSON; the exit status says whether all
of it holds.

Run from the project's root: ``python -m tests.load.soak_sfu --seconds 60``.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sidetone.bus.local import LocalBusServer
from sidetone.bus.memory import MemoryBus
from sidetone.protocol.events import NodeAlive
from sidetone.runtime.tls import Identity
from tests.load.sfu_stage import PATIENCE_SECONDS, Client, VoiceDesk, begin, end, frame

ROOT = Path(__file__).parent.parent.parent
FRAME_SECONDS = 0.02
# An Opus packet of 64 kbit/s and 20 ms, sealed.
PAYLOAD_BYTES = 176
DELIVERED_MIN = 0.99
GROWTH_MAX = 0.05
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Report:
    """What a run showed."""

    seconds: float
    members: int
    speakers: int
    frames_expected: int
    frames_delivered: int
    delivered_ratio: float
    cpu_us_per_forward: float
    cpu_percent: float
    rss_warm_mb: float
    rss_end_mb: float
    rss_growth: float
    unhandled: int
    exit_status: int

    def faults(self) -> list[str]:
        """Return what does not hold."""
        found: list[str] = []
        if self.delivered_ratio < DELIVERED_MIN:
            found.append(f"only {self.delivered_ratio:.2%} of the frames arrived")
        if self.rss_growth > GROWTH_MAX:
            found.append(f"memory grew by {self.rss_growth:.1%} after the warm-up")
        if self.unhandled:
            found.append(f"{self.unhandled} unhandled exceptions in the log")
        if self.exit_status:
            found.append(f"the unit ended with status {self.exit_status}")
        return found


class UnitProcess:
    """A unit's process, seen from outside."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def rss_bytes(self) -> int:
        """Return the memory that the process holds."""
        return int(self._stat("statm").split()[1]) * _PAGE_BYTES

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used."""
        fields = self._stat("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND

    def unhandled(self) -> int:
        """Return how many exceptions were logged."""
        return self.log().count("Traceback")

    def log(self) -> str:
        """Return what was logged so far."""
        return self._log.read_text()

    async def said(self) -> str:
        """Return the next line of its standard output."""
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode()

    def terminate(self) -> None:
        """Ask the process to end."""
        self._process.terminate()

    async def ended(self) -> int:
        """Wait for the end of the process and return its status."""
        async with asyncio.timeout(20):
            return await self._process.wait()

    def _stat(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


@asynccontextmanager
async def unit_process(
    folder: Path, desk: VoiceDesk, **settings: str
) -> AsyncGenerator[tuple[UnitProcess, NodeAlive, LocalBusServer]]:
    """Start a unit as the child of a server would be, and wait for its first heartbeat."""
    bus = MemoryBus()
    await desk.open(bus)
    server = await LocalBusServer.open(bus, folder / "bus.sock")
    Identity.open(folder / "tls", [], time.time_ns() // 1_000_000)
    beats: asyncio.Queue[NodeAlive] = asyncio.Queue()
    await bus.subscribe(NodeAlive, beats.put)
    log = folder / "unit.log"
    environment = {
        "SIDETONE_SFU_BUS": f"local:{folder / 'bus.sock'}",
        "SIDETONE_SFU_TLS_FOLDER": str(folder / "tls"),
        "SIDETONE_SFU_HOST": "127.0.0.1",
        **{f"SIDETONE_SFU_{name.upper()}": value for name, value in settings.items()},
    }
    with log.open("w") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "sidetone.voice_sfu",
            env=os.environ | environment,
            stderr=file,
            stdout=asyncio.subprocess.PIPE,
        )
    try:
        async with asyncio.timeout(30):
            alive = await beats.get()
        yield UnitProcess(process, log), alive, server
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await server.close()
        await bus.close()


async def soak(seconds: float, members: int = 50, speakers: int = 2) -> Report:
    """Run the scene for *seconds* and report; the first tenth (at least 2 s) is warm-up."""
    desk = VoiceDesk()
    warm_up_seconds = max(2.0, seconds / 10)
    with tempfile.TemporaryDirectory(prefix="sidetone-soak-") as name:
        async with unit_process(Path(name), desk) as (unit, alive, _):
            clients = await asyncio.gather(*(_member(alive, desk) for _ in range(members)))
            await _speak(clients[:speakers], warm_up_seconds)
            received_before = await _settled(clients)
            rss_before, cpu_before, began = unit.rss_bytes(), unit.cpu_seconds(), time.monotonic()
            said = await _speak(clients[:speakers], seconds)
            lasted = time.monotonic() - began
            cpu = unit.cpu_seconds() - cpu_before
            rss_after = unit.rss_bytes()
            delivered = await _settled(clients) - received_before
            await asyncio.gather(*(end(client) for client in clients))
            unit.terminate()
            status = await unit.ended()
            expected = said * (members - 1)
            return Report(
                seconds=round(lasted, 1),
                members=members,
                speakers=speakers,
                frames_expected=expected,
                frames_delivered=delivered,
                delivered_ratio=delivered / expected,
                cpu_us_per_forward=cpu / max(1, delivered) * 1e6,
                cpu_percent=100 * cpu / lasted,
                rss_warm_mb=rss_before / 1e6,
                rss_end_mb=rss_after / 1e6,
                rss_growth=rss_after / rss_before - 1,
                unhandled=unit.unhandled(),
                exit_status=status,
            )


async def _member(alive: NodeAlive, desk: VoiceDesk) -> Client:
    client = await begin(alive.port)
    client.keeps_frames = False
    async with asyncio.timeout(PATIENCE_SECONDS):
        await client.wait_connected()
    await client.join(desk.ticket(alive.node))
    return client


async def _settled(clients: list[Client]) -> int:
    """Return how many frames have arrived, once no more do."""
    before = -1
    while (received := sum(client.frames_received for client in clients)) != before:
        before = received
        await asyncio.sleep(0.3)
    return received


async def _speak(speakers: list[Client], seconds: float) -> int:
    """Let each say a frame every 20 ms, all in step; return how many were said in all."""
    began, said = time.monotonic(), 0
    for number in range(int(seconds / FRAME_SECONDS)):
        for speaker in speakers:
            speaker.say(frame(speaker.sender, payload=bytes(PAYLOAD_BYTES)))
            said += 1
        await asyncio.sleep(max(0.0, began + (number + 1) * FRAME_SECONDS - time.monotonic()))
    return said


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--members", type=int, default=50)
    parser.add_argument("--speakers", type=int, default=2)
    asked = parser.parse_args()
    report = asyncio.run(soak(asked.seconds, asked.members, asked.speakers))
    values = asdict(report)
    lines = [
        f"{name:>20}  {value:.3f}" if isinstance(value, float) else f"{name:>20}  {value}"
        for name, value in values.items()
    ]
    faults = [f"FAILED: {fault}" for fault in report.faults()]
    sys.stdout.write("\n".join([*lines, json.dumps(values), *faults, ""]))
    sys.exit(1 if report.faults() else 0)


if __name__ == "__main__":
    main()
