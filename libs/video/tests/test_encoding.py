import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sidetone.video import Size, VideoError
from sidetone.video.capture import Monitor, TestCard
from sidetone.video.encoding import ScreenEncoder
from sidetone.video.quality import Quality

SIZE = Size(640, 360)
QUALITY = Quality(SIZE, 30, 2_000_000)


@asynccontextmanager
async def encoding(*, moves: bool = True) -> AsyncIterator[ScreenEncoder]:
    encoder = await ScreenEncoder.start(TestCard(SIZE, moves=moves), QUALITY)
    try:
        yield encoder
    finally:
        await encoder.close()


async def frames(encoder: ScreenEncoder, count: int) -> None:
    for _ in range(count):
        await asyncio.wait_for(encoder.next(), 1)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_who_is_slow_gets_new_pictures_and_not_old_ones() -> None:
    async with encoding() as encoder:
        assert encoder.size == SIZE
        await frames(encoder, 2)
        await asyncio.sleep(1)  # Thirty pictures of the card, if nobody had to want them.
        encoder.request_keyframe()
        assert any([(await encoder.next()).keyframe for _ in range(3)])


async def test_a_keyframe_that_is_asked_for_comes_soon() -> None:
    async with encoding() as encoder:
        assert (await encoder.next()).keyframe
        assert not (await encoder.next()).keyframe
        encoder.request_keyframe()
        assert any([(await encoder.next()).keyframe for _ in range(3)])
        assert not (await encoder.next()).keyframe


async def test_a_still_screen_is_sent_no_more_until_a_keyframe_is_wanted() -> None:
    async with encoding(moves=False) as encoder:
        with pytest.raises(TimeoutError):
            await frames(encoder, 30)
        encoder.request_keyframe()
        assert (await asyncio.wait_for(encoder.next(), 5)).keyframe


async def test_a_process_that_is_killed_is_reported_in_one_line() -> None:
    async with encoding() as encoder:
        os.kill(encoder.pid, signal.SIGKILL)
        with pytest.raises(VideoError, match="ended by itself; share it again"):
            await frames(encoder, 5)


async def test_the_process_ends_with_the_one_that_wanted_it(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import asyncio\n"
        "from sidetone.video.capture import TestCard\n"
        "from sidetone.video.encoding import ScreenEncoder\n"
        "from sidetone.video.quality import QUALITIES\n"
        "async def main():\n"
        "    encoder = await ScreenEncoder.start(TestCard(moves=False), QUALITIES['720p15'])\n"
        "    try:\n"
        "        while True:\n"
        "            await asyncio.wait_for(encoder.next(), 1)\n"
        "    except TimeoutError:\n"
        "        print(encoder.pid, flush=True)\n"
        "    await encoder.next()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, str(program), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await asyncio.wait_for(parent.stdout.readline(), 20))
    assert is_alive(child)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(10):
        while is_alive(child):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_no_display_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with pytest.raises(VideoError, match="no display to show") as caught:
        await ScreenEncoder.start(Monitor(1), QUALITY)
    assert "\n" not in str(caught.value)
