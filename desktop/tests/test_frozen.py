"""A program without a Python beside it is its own child."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

from sidetone.video import Size, wire
from sidetone.video.capture import TestCard
from sidetone.video.encoding import child_command
from sidetone.video.quality import Quality

_SIZE = Size(640, 360)
_PATIENCE_SECONDS = 60


async def test_the_program_captures_when_it_is_asked_as_a_frozen_one_asks() -> None:
    _, *arguments = child_command("sidetone-client", frozen=True)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sidetone.desktop", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    begin = wire.Begin(TestCard(_SIZE, moves=True), Quality(_SIZE, 15, 500_000))
    process.stdin.write(wire.pack(begin))
    async with asyncio.timeout(_PATIENCE_SECONDS):
        head = await process.stdout.readexactly(wire.LENGTH_BYTES)
        report = await process.stdout.readexactly(int.from_bytes(head, "big"))
        assert wire.report(report) == wire.Began(_SIZE)
        process.stdin.close()
        assert await process.wait() == 0
