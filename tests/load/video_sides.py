"""The two ends of a screen share as processes of their own, for the bench.

``python -m tests.load.video_sides share|watch ADDRESS INVITE SECONDS FOLDER``. Each says "ready"
when it is in the call, and at the end what it has seen, as one line of JSON.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from sidetone.client.call import Call
from sidetone.client.client import Client
from sidetone.client.events import ScreenStarted
from sidetone.video.capture import Monitor
from sidetone.video.quality import QUALITIES

PASSWORD = "nine quiet otters hum"
BASELINE_SECONDS = 4.0
# The picture's first keyframe, and the encoder's way to its rate, are not what is asked for.
SETTLE_SECONDS = 4.0


class Seen(msgspec.Struct):
    """A picture and when the page could have shown it, in seconds of the monotonic clock."""

    at: float
    jpeg: bytes


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of another process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def percent(seconds: float, *pids: int) -> float:
    """Return how much of a core this process and *pids* use meanwhile."""
    began, used = time.monotonic(), time.process_time() + sum(map(cpu_of, pids))
    await asyncio.sleep(seconds)
    used = time.process_time() + sum(map(cpu_of, pids)) - used
    return 100 * used / (time.monotonic() - began)


async def share(call: Call, seconds: float, quality: str, _: Path) -> dict[str, Any]:
    """Show the monitor; returns what it cost and sent."""
    idle = await percent(BASELINE_SECONDS)
    share = await call.share_screen(Monitor(1), QUALITIES[quality])
    await asyncio.sleep(SETTLE_SECONDS)
    before = share.stats()
    busy = await percent(seconds - SETTLE_SECONDS, share.encoder_pid)
    after = share.stats()
    frames, sent = after.frames - before.frames, after.bytes - before.bytes
    await share.stop()
    return {
        "sender_idle_percent": idle,
        "sender_percent": busy - idle,
        "frames_per_second": frames / (seconds - SETTLE_SECONDS),
        "kilobits_per_second": sent * 8 / 1000 / (seconds - SETTLE_SECONDS),
        "keyframes": after.keyframes,
    }


async def watch(call: Call, seconds: float, quality: str, folder: Path) -> dict[str, Any]:
    """Take every picture as a page does, and keep it; returns what it cost."""
    idle = await percent(BASELINE_SECONDS)
    screens = call.screens
    user = screens[0].user if screens else (await call.wait_for(ScreenStarted)).screen.user
    view = call.watch(user)
    view.set_size(*QUALITIES[quality].size_max)
    seen: list[Seen] = []

    async def take() -> None:
        async for picture in view:
            # The moment counts, so no list is made at the end.
            seen.append(Seen(time.monotonic(), picture.jpeg))  # noqa: PERF401

    taking = asyncio.create_task(take())
    await asyncio.sleep(SETTLE_SECONDS)
    first = len(seen)
    busy = await percent(seconds - 2 * SETTLE_SECONDS)
    last = len(seen)
    taking.cancel()
    (folder / "seen").write_bytes(msgspec.msgpack.encode(seen[first:last]))
    return {
        "viewer_idle_percent": idle,
        "viewer_percent": busy - idle,
        "pictures_per_second": (last - first) / (seconds - 2 * SETTLE_SECONDS),
        "gaps": view.stats().gaps,
    }


async def main(side: str, address: str, invite: str, wishes: str, folder: Path) -> None:
    """Enter the call, and be one side of it."""
    seconds, quality = wishes.split(",")
    async with Client(address, data_dir=folder / side) as client:
        await client.register(side, PASSWORD)
        await client.api.servers.accept_invite(invite)
        lounge = (await client.find_channel("Lounge")).id
        async with client.join_voice(lounge) as call:
            call.set_muted(True)
            print("ready", flush=True)
            work = share if side == "share" else watch
            print(json.dumps(await work(call, float(seconds), quality, folder)), flush=True)
            await asyncio.to_thread(sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], Path(sys.argv[5])))  # type: ignore[arg-type]
