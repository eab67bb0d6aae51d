"""Two processes and one folder."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidetone.desktop.infrastructure.single_instance import SingleInstance
from sidetone.protocol.refusals import Unavailable

LINK = "sidetone://play.example:8443#" + "A" * 43
# Becomes the first instance, says so, and goes on until it is ended.
FIRST = """
import sys, time, asyncio
from pathlib import Path
from sidetone.desktop.infrastructure.single_instance import SingleInstance

async def main():
    one = SingleInstance(Path(sys.argv[1]))
    assert one.acquire()
    if sys.argv[2] == "listens":
        await one.listen(lambda arguments: print("started", *arguments, flush=True))
    print("ready", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def another(folder: Path, how: str = "listens") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", FIRST, str(folder), how], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=20)


class First:
    def __init__(self, instance: SingleInstance) -> None:
        self.instance = instance
        self.started: asyncio.Queue[list[str]] = asyncio.Queue()


@pytest.fixture
async def first(tmp_path: Path) -> AsyncIterator[First]:
    first = First(SingleInstance(tmp_path))
    assert first.instance.acquire()
    await first.instance.listen(first.started.put_nowait)
    yield first
    await first.instance.close()


async def test_a_second_start_hands_its_link_to_the_first(first: First, tmp_path: Path) -> None:
    second = SingleInstance(tmp_path)
    assert not second.acquire()
    await asyncio.to_thread(second.hand_over, [LINK, "ünï\n"])
    assert await first.started.get() == [LINK, "ünï\n"]
    await asyncio.to_thread(SingleInstance(tmp_path).hand_over, [])
    assert await first.started.get() == []


def test_it_works_between_processes_and_outlives_a_crash(tmp_path: Path) -> None:
    process = another(tmp_path)
    try:
        mine = SingleInstance(tmp_path)
        assert not mine.acquire()
        mine.hand_over([LINK])
        assert process.stdout is not None
        assert process.stdout.readline() == f"started {LINK}\n"
    finally:
        ended(process)
    assert (tmp_path / "instance.json").exists()
    assert mine.acquire()
    assert not (tmp_path / "instance.json").exists()
    asyncio.run(mine.close())


def test_a_first_instance_that_does_not_answer_is_said(tmp_path: Path) -> None:
    process = another(tmp_path, "stalls")
    try:
        mine = SingleInstance(tmp_path)
        assert not mine.acquire()
        with pytest.raises(Unavailable, match="running already"):
            mine.hand_over([LINK])
    finally:
        ended(process)


async def test_who_cannot_read_the_file_is_not_heard(first: First, tmp_path: Path) -> None:
    door = tmp_path / "instance.json"
    assert stat.S_IMODE(door.stat().st_mode) == 0o600
    port = json.loads(door.read_text())["port"]
    knocks = [b"", b"\n", b"{}\n", b'{"token": "guess", "arguments": ["x"]}\n', b"x" * 100_000]
    for knock in knocks:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(knock)
            writer.write_eof()
            assert await reader.read() == b""
        except ConnectionError:
            pass
        writer.close()
    assert first.started.empty()
    await asyncio.to_thread(SingleInstance(tmp_path).hand_over, ["still there"])
    assert await first.started.get() == ["still there"]


async def test_the_next_one_is_the_first_when_it_is_closed(tmp_path: Path) -> None:
    one = SingleInstance(tmp_path)
    assert one.acquire()
    await one.listen(lambda _: None)
    await one.close()
    assert await asyncio.to_thread(os.listdir, tmp_path) == ["instance.lock"]
    two = SingleInstance(tmp_path)
    assert two.acquire()
    await two.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        SingleInstance(tmp_path / "file").acquire()
    assert str(tmp_path / "file") in caught.value.detail
