"""What else may happen on a unit that forwards voice: members come and go, screens are shown."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Final

from sidetone.protocol.voice_control import Leave
from tests.load.sfu_contenders import Figures, SfuContender, channel_of
from tests.load.sfu_stage import TALK, connected
from tests.load.video_stage import SHOW, VideoClient, picture, watching

CHURN_PER_SECOND: Final = 20
VIEWERS: Final = 10
SHARE_BITS_PER_SECOND: Final = 1_500_000

_STAY_SECONDS: Final = 0.5
_PICTURES_PER_SECOND: Final = 15
_PICTURE_BYTES: Final = SHARE_BITS_PER_SECOND // 8 // _PICTURES_PER_SECOND
_KEYFRAME_EVERY: Final = 30
_CINEMA: Final = 0xFFFE


async def churn(ours: SfuContender, seconds: float) -> Figures:
    """Let 20 others join the first room each second, and leave it again, meanwhile."""
    passed = unanswered = 0

    async def pass_through() -> None:
        nonlocal passed, unanswered
        async with connected(ours.alive.port) as client:
            client.keeps_frames = False
            await client.join(ours.desk.ticket(ours.alive.node, channel=channel_of(0)))
            # What it would hear costs this process far more than the unit.
            client.is_deaf = True
            await asyncio.sleep(_STAY_SECONDS)
            client.is_deaf = False
            client.tell(Leave())
            try:
                await client.closed()
            except TimeoutError:
                unanswered += 1
        passed += 1

    async def keep_coming() -> None:
        async with asyncio.TaskGroup() as group:
            began = time.monotonic()
            for number in range(int(seconds * CHURN_PER_SECOND)):
                due = began + number / CHURN_PER_SECOND
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                group.create_task(pass_through())

    await ours.rest()
    coming = asyncio.create_task(keep_coming())
    figures = await ours.run(seconds)
    passed_meanwhile = passed
    await coming
    return figures | {
        "joined_and_left": passed,
        "of_these_meanwhile": passed_meanwhile,
        "leaves_unanswered": unanswered,
    }


async def video(ours: SfuContender, seconds: float) -> Figures:
    """Let ten watch a screen in a room of their own meanwhile."""
    async with AsyncExitStack() as stack:
        clients: list[VideoClient] = []
        for number in range(1 + VIEWERS):
            client = await stack.enter_async_context(connected(ours.alive.port, kind=VideoClient))
            perms = TALK if number else SHOW
            ticket = ours.desk.ticket(ours.alive.node, channel=channel_of(_CINEMA), perms=perms)
            await client.join(ticket)
            clients.append(client)
        source, *viewers = clients
        for viewer in viewers:
            await watching(viewer, source)
        await ours.rest()
        showing = asyncio.create_task(_show(source, seconds))
        figures = await ours.run(seconds)
        due = await showing * VIEWERS
        seen = sum(viewer.pictures.qsize() for viewer in viewers)
    return figures | {"pictures_due": due, "pictures_seen": seen}


async def _show(source: VideoClient, seconds: float) -> int:
    """Show so many pictures each second, evenly; returns how many."""
    began, count = time.monotonic(), int(seconds * _PICTURES_PER_SECOND)
    for number in range(count):
        due = began + number / _PICTURES_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        is_key = number % _KEYFRAME_EVERY == 0
        source.show(picture(source.sender, _PICTURE_BYTES, keyframe=is_key))
    return count
