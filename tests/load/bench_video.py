"""What a screen share costs and how late it is: `./just bench video --json FILE`.

A server, who shows, who watches and who draws the screen are processes of their own. Glass to
glass is from the moment at which the X server shows a picture to the moment at which the watching
client has it as JPEG for its page: a number in each picture tells which it is. CPU is of the
client's process and its encoder, less what the same process used in the silent call before.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np

from libs.video.tests.display import virtual_display
from sidetone.client.client import Client
from sidetone.video.test_card import read_number
from tests.load import video_screen
from tests.load.bench_voice_node import process
from tests.load.video_sides import PASSWORD, SETTLE_SECONDS, Seen

MUST = {"sender_percent": 25, "viewer_percent": 30, "glass_to_glass_p50_ms": 250}
_SERVE = ("-m", "sidetone.all_in_one", "serve", "--host", "127.0.0.1", "--port", "0")
# Luma of BT.601 in full range, as JPEG has it.
_LUMA = np.array([0.114, 0.587, 0.299])


async def run(stack: AsyncExitStack, *arguments: str, screen: str) -> Process:
    """Start a part of the bench that ends with *stack*."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "DISPLAY": screen, "XDG_SESSION_TYPE": "x11"},
    )

    async def end() -> None:
        if child.returncode is None:
            child.kill()
        await child.wait()

    stack.push_async_callback(end)
    return child


async def line(child: Process) -> str:
    """Return the next line that a part says."""
    assert child.stdout is not None
    said = (await child.stdout.readline()).decode().strip()
    if not said:
        sys.exit("a part of the bench has ended; see what it said above")
    return said


async def measure(seconds: float, quality: str, folder: Path) -> dict[str, Any]:
    """Share a screen for so long; returns the figures of both sides and of the pictures."""
    async with AsyncExitStack() as stack:
        screen = stack.enter_context(virtual_display(video_screen.SIZE))
        (folder / "server").mkdir(mode=0o700)
        data = ("--data", str(folder / "server"))
        address = await stack.enter_async_context(process(*_SERVE, *data))
        founder = await stack.enter_async_context(Client(address, data_dir=folder / "founder"))
        await founder.register("founder", PASSWORD)
        home = await founder.api.servers.create("bench")
        invite = (await founder.api.servers.invite(home.id)).code
        drawn_for = str(seconds + 4 * SETTLE_SECONDS)
        drawer = await run(
            stack, "tests.load.video_screen", screen, drawn_for, f"{folder}/drawn", screen=screen
        )
        wishes = (address, invite, f"{seconds},{quality}", str(folder))
        sides: list[Process] = []
        for side in ("watch", "share"):
            part = await run(stack, "tests.load.video_sides", side, *wishes, screen=screen)
            assert await line(part) == "ready"
            sides.append(part)
        figures = {
            key: value for side in sides for key, value in json.loads(await line(side)).items()
        }
        await drawer.wait()
    return figures | compare(folder)


def compare(folder: Path) -> dict[str, Any]:
    """Return how late the pictures were and how true."""
    seen = msgspec.msgpack.decode((folder / "seen").read_bytes(), type=list[Seen])
    drawn = np.load(folder / "drawn.npy")
    text, over = video_screen.page(), video_screen.window()
    late_ms: list[float] = []
    noise_db: list[float] = []
    decoder = av.CodecContext.create("mjpeg", "r")
    for at, picture in enumerate(seen):
        (frame,) = decoder.decode(av.Packet(picture.jpeg))
        luma = frame.to_ndarray()[: frame.height, : frame.width]
        number = read_number(luma)
        if number >= len(drawn):
            continue
        late_ms.append((picture.at - drawn[number]) * 1000)
        if at % 10 == 0 and luma.shape == video_screen.SIZE[::-1]:
            wanted = video_screen.scene(number, text, over)[:, :, :3] @ _LUMA
            noise_db.append(float(10 * np.log10(255**2 / np.mean((luma - wanted) ** 2))))
    if not late_ms:
        sys.exit("no picture was seen in the time that is measured: the machine is too busy")
    return {
        "pictures": len(seen),
        "picture_kilobytes": float(np.mean([len(picture.jpeg) for picture in seen])) / 1000,
        "glass_to_glass_p50_ms": float(np.percentile(late_ms, 50)),
        "glass_to_glass_p95_ms": float(np.percentile(late_ms, 95)),
        "psnr_db": float(np.mean(noise_db)) if noise_db else None,
        "psnr_lowest_db": min(noise_db, default=None),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=25.0)
    parser.add_argument("--quality", default="720p15")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = asyncio.run(measure(options.seconds, options.quality, Path(name)))
    found = {"quality": options.quality, "load": os.getloadavg()[0]} | found
    for key, value in found.items():
        must = f"   must be at most {MUST[key]}" if key in MUST else ""
        print(
            f"{key:24} {value:8.1f}{must}"
            if isinstance(value, float)
            else f"{key:24} {value}{must}"
        )
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
