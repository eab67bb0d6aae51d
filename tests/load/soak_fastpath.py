"""Mixed traffic over a bad network: ``./just soak-fastpath 5400``.

Each datagram has a chance of two percent each to be lost, doubled, delayed beyond others, or
changed by a bit, in both directions. Members speak in turns, mute and deafen themselves, begin new
keys, change their port, leave and come back. Nobody may be stuck, the unit may not grow, nothing
may fail to decrypt but what was changed, and no frame may arrive that was not said.
"""

import argparse
import asyncio
import hashlib
import json
import random
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from sidetone.protocol.voice_control import Ping, Pong, State
from tests.load.fastpath_unit import NODE, desk
from tests.load.sfu_stage import Client, begin, end, frame
from tests.load.soak_sfu import FRAME_SECONDS, GROWTH_MAX
from tests.load.udp_proxy import BadLink, Harm

HARM = 0.02
STUCK_SECONDS = 15.0
DELIVERED_MIN = 0.85
LATE_MAX = 0.1
WARM_UP_SHARE = 0.15


@dataclass
class Report:
    """What a run showed."""

    seconds: float
    members: int
    said: int = 0
    expected: int = 0
    heard: int = 0
    pings: int = 0
    key_updates: int = 0
    moves: int = 0
    joins: int = 0
    joins_late: int = 0
    to_unit: dict[str, int] = field(default_factory=dict)
    to_client: dict[str, int] = field(default_factory=dict)
    rss_growth: float = 0.0
    unit: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def judge(self) -> None:
        """Note what does not hold."""
        if self.unit["forged"] > self.to_unit["corrupted"]:
            self.faults.append("more packets failed to decrypt than were changed")
        if self.rss_growth > GROWTH_MAX:
            self.faults.append(f"memory grew by {self.rss_growth:.1%} after the warm-up")
        if self.unit["failures"] or self.unit["notices_lost"]:
            self.faults.append("the unit's log tells of exceptions, or it could not keep up")
        if self.joins_late > 2 + LATE_MAX * self.joins:
            self.faults.append(f"{self.joins_late} joins came too late")
        if self.heard < DELIVERED_MIN * self.expected:
            self.faults.append(f"only {self.heard / self.expected:.1%} of the frames arrived")


class Talker:
    """One member behind a bad link, and what it does there."""

    def __init__(self, soak: "Soak", number: int) -> None:
        self.link = BadLink(soak.unit_port, HARM, random.Random(number))
        self.deafened = False
        self._soak = soak
        self._dice = random.Random(1000 + number)
        self._client: Client
        self._pings = 0

    async def live(self, until: float) -> None:
        """Come, do this and that, and go."""
        await self.link.open()
        await self._join()
        while time.monotonic() < until:
            await self._something()
            await self._ping()
            self.check()
        await _leave(self._client)
        self._soak.inside.remove(self)
        self.link.close()

    def check(self) -> None:
        """Look at what has come: only what was said, and nobody else's."""
        frames = self._client.frames
        for _ in range(frames.qsize()):
            each = frames.get_nowait()
            self._soak.report.heard += 1
            if each[8:] != _payload(each[:4]):
                self._soak.report.faults.append(f"a frame was not said: {each.hex()}")

    async def _join(self) -> None:
        """Join, or try again as clients do: two seconds for a ticket are few on such a network."""
        while not await self._is_welcome():
            self._soak.report.joins_late += 1
        self.deafened = False
        self._soak.inside.append(self)
        self._soak.report.joins += 1

    async def _is_welcome(self) -> bool:
        self._client = client = await begin(self.link.port)
        # What the unit says when it gives up on a handshake may be lost as well.
        with suppress(ConnectionError, AssertionError, TimeoutError):
            async with asyncio.timeout(STUCK_SECONDS):
                await client.wait_connected()
                await client.join(self._soak.desk.ticket(NODE))
        if client.welcome is None:
            await _leave(client)
        return client.welcome is not None

    async def _something(self) -> None:
        dice, report = self._dice, self._soak.report
        happens = dice.random()
        if happens < 0.1:
            self._client._quic.request_key_update()
            report.key_updates += 1
        elif happens < 0.2:
            await self.link.rebind()
            report.moves += 1
        elif happens < 0.3:
            self.deafened = not self.deafened
            self._client.tell(State(muted=False, deafened=self.deafened))
        elif happens < 0.35:
            self.check()
            self._soak.inside.remove(self)
            await _leave(self._client)
            await self._join()
        if happens < 0.6:
            await self._speak(dice.uniform(0.5, 2))
        else:
            await asyncio.sleep(dice.uniform(0.5, 2))

    async def _speak(self, seconds: float) -> None:
        began, said = time.monotonic(), 0
        head = bytes([0x40, 0]) + self._client.sender.to_bytes(2, "big")
        while time.monotonic() < began + seconds:
            self._client.say(frame(self._client.sender, payload=_payload(head)))
            said += 1
            self._soak.report.said += 1
            others = (each for each in self._soak.inside if each is not self)
            self._soak.report.expected += sum(not each.deafened for each in others)
            await asyncio.sleep(max(0.0, began + said * FRAME_SECONDS - time.monotonic()))

    async def _ping(self) -> None:
        """Ask for an answer on the control stream, which must come however bad the network is."""
        self._pings += 1
        self._client.tell(Ping(self._pings))
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                while await self._client.told(Pong) != Pong(self._pings):
                    pass
        except TimeoutError:
            raise RuntimeError("a ping had no answer") from None
        self._soak.report.pings += 1


async def _leave(client: Client) -> None:
    # A client keeps a closed connection for three of its own time-outs, which grow with each
    # answer that is late; the unit has heard its goodbye long before.
    with suppress(TimeoutError):
        await end(client)


def _payload(head: bytes) -> bytes:
    return hashlib.blake2b(head, digest_size=60).digest()


class Soak:
    """All members of one unit."""

    def __init__(self, unit_port: int, report: Report) -> None:
        self.unit_port = unit_port
        self.report = report
        self.desk = desk()
        self.inside: list[Talker] = []

    async def run(self, process: asyncio.subprocess.Process) -> None:
        """Let everybody live, and look at the unit after the warm-up and at the end."""
        until = time.monotonic() + self.report.seconds
        talkers = [Talker(self, number) for number in range(self.report.members)]
        living = [asyncio.create_task(self._live(each, until)) for each in talkers]
        await asyncio.sleep(self.report.seconds * WARM_UP_SHARE)
        warm = await counted(process)
        await asyncio.sleep(max(0.0, until - time.monotonic()))
        self.report.unit = await counted(process)
        self.report.rss_growth = self.report.unit["rss_bytes"] / warm["rss_bytes"] - 1
        await asyncio.gather(*living)
        self.report.to_unit = _sum([each.link.to_unit for each in talkers])
        self.report.to_client = _sum([each.link.to_client for each in talkers])

    async def _live(self, talker: Talker, until: float) -> None:
        try:
            await talker.live(until)
        except Exception as error:
            self.report.faults.append(f"a member is stuck or out: {error!r}")


def _sum(harms: list[Harm]) -> dict[str, int]:
    return {name: sum(getattr(harm, name) for harm in harms) for name in asdict(Harm())}


async def counted(process: Any) -> dict[str, int]:
    """Ask the unit what it has counted."""
    process.stdin.write(b"\n")
    return json.loads(await process.stdout.readline())


@asynccontextmanager
async def _unit() -> AsyncGenerator[tuple[asyncio.subprocess.Process, int]]:
    pipe, command = asyncio.subprocess.PIPE, (sys.executable, "-m", "tests.load.fastpath_unit")
    process: Any = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(180):
            port = int(await process.stdout.readline())
        yield process, port
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(10):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def soak(seconds: float, members: int = 8) -> Report:
    """Run for *seconds* and report."""
    report = Report(seconds, members)
    async with _unit() as (process, port):
        await Soak(port, report).run(process)
    report.judge()
    return report


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--members", type=int, default=8)
    asked = parser.parse_args()
    report = asyncio.run(soak(asked.seconds, asked.members))
    print(json.dumps(asdict(report), indent=1))
    sys.exit(1 if report.faults else 0)


if __name__ == "__main__":
    main()
