"""The client in a call, for `bench_client_call`: a real window, and others who speak on and off.

A process of its own: ``python -m tests.load.client_call ADDRESS NAME FOLDER SECONDS``. It says its
page's address, waits for a line that a browser looks, and then says its figures as JSON. The
others are told of as the server would, and no sound comes of them: what is measured is drawing.
After the call it is measured what one more message costs where 2,000 are loaded.
"""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Final
from uuid import UUID

import flet as ft

from sidetone.desktop.__main__ import ASSETS
from sidetone.desktop.app import App, compose
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.sign_in import sign_in
from sidetone.desktop.domain.topics import Topic, topics
from sidetone.desktop.infrastructure.page_uploads import PageUploads
from sidetone.desktop.infrastructure.web_page import serving
from sidetone.desktop.interface.view import View
from sidetone.protocol.accounts import User
from sidetone.protocol.calls import VoiceState
from sidetone.protocol.events import MessageSent, VoiceStateChanged
from sidetone.protocol.ids import ChannelId, DeviceId, MessageId, ServerId, UserId
from sidetone.protocol.messages import Message
from tests.load.video_sides import PASSWORD

SPEAKERS: Final = 12
_TOGGLES_HERTZ: Final = 10
_SETTLE_SECONDS: Final = 5.0
_LOADED: Final = 2_000
_APPENDED: Final = 60
_APPEND_SECONDS: Final = 0.2


def people() -> list[UserId]:
    """Return the others in the channel."""
    return [UserId(UUID(int=number)) for number in range(1, SPEAKERS + 1)]


def fill(account: Account, channel: ChannelId, server: ServerId) -> None:
    """Let the others be in the channel."""
    account.learn(*(User(user, f"speaker{user.int}") for user in people()))
    for user in people():
        state = VoiceState(
            user,
            DeviceId(user),
            server,
            channel,
            muted=False,
            deafened=False,
            since_ms=0,
        )
        account.told(account.knowledge.apply(VoiceStateChanged(channel, user, state), 0))


async def speak(app: App, seconds: float) -> None:
    """Let each of the others begin or end to speak, ten times a second."""
    voice, due = app.core.voice, time.monotonic()
    until = due + seconds
    while due < until:
        for user in people():
            (voice.speaking.discard if user in voice.speaking else voice.speaking.add)(user)
            voice.told(topics(Topic("speaking", user)))
        due += 1 / _TOGGLES_HERTZ
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def busy_percent(during: "asyncio.Future[None] | asyncio.Task[None]") -> float:
    """Return which share of a core this process uses until *during* is done."""
    cpu, wall = time.process_time(), time.monotonic()
    await during
    return 100 * (time.process_time() - cpu) / (time.monotonic() - wall)


async def measured(app: App, seconds: float) -> dict[str, float]:
    """Compare the call with nobody drawn, with the meter, and with all who speak."""
    await asyncio.sleep(_SETTLE_SECONDS)
    meter = app.core.voice.meter
    meter.unwatch()
    silent = await busy_percent(asyncio.create_task(asyncio.sleep(seconds)))
    meter.watch()
    metered = await busy_percent(asyncio.create_task(asyncio.sleep(seconds)))
    speaking = await busy_percent(asyncio.create_task(speak(app, seconds)))
    return {
        "call_percent": silent,
        "meter_percent": metered - silent,
        "speakers_and_meter_percent": speaking - silent,
        "resident_megabytes": resident_megabytes(),
        "resident_most_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def message(number: int, server: ServerId, channel: ChannelId) -> Message:
    """Return what one of the others wrote as *number*, a minute after what was before."""
    at_ms = 1_700_000_000_000 + 60_000 * number
    author = people()[number // 3 % SPEAKERS]
    return Message(
        MessageId(UUID(int=at_ms << 80 | 7 << 76 | number)),
        server,
        channel,
        author,
        f"message {number} says **something** that others read, see #general",
    )


async def append(account: Account, channel: ChannelId, server: ServerId) -> float:
    """Return how many milliseconds of Python one more message costs where 2,000 are loaded."""
    loaded = [message(number, server, channel) for number in range(_LOADED)]
    account.knowledge.timeline(channel).open(loaded, begins=False, present=True)
    account.told(topics(Topic("messages", channel)))
    await asyncio.sleep(_SETTLE_SECONDS)
    seconds = _APPENDED * _APPEND_SECONDS
    still = await busy_percent(asyncio.create_task(asyncio.sleep(seconds)))

    async def write() -> None:
        for number in range(_LOADED, _LOADED + _APPENDED):
            sent = MessageSent(message(number, server, channel))
            account.told(account.knowledge.apply(sent, 0))
            await asyncio.sleep(_APPEND_SECONDS)

    busy = await busy_percent(asyncio.create_task(write()))
    return (busy - still) / 100 * _APPEND_SECONDS * 1000


def resident_megabytes() -> float:
    """Return how much memory this process has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def main(address: str, name: str, folder: Path, seconds: float) -> None:
    """Sign in, join, show a window, and measure."""
    uploads = PageUploads()
    app = await compose(folder, uploads)
    account = await sign_in(app.core, address, name, PASSWORD)
    await account.ready.wait()
    community = next(
        each for each in account.knowledge.communities.values() if each.server.kind == "community"
    )
    server = ServerId(community.server.id)
    channel = next(c for c in community.channels.values() if c.kind == "voice")
    views: list[View] = []

    async def shown(page: ft.Page) -> None:
        view = await app.open_window(page, page.route, "", follow=False)
        view.open_server(account, server)
        views.append(view)

    async with serving(shown, ASSETS, uploads) as url:
        print(url("/"), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        fill(account, ChannelId(channel.id), server)
        await app.core.voice.join(account, ChannelId(channel.id))
        figures = await measured(app, seconds)
        await app.core.voice.leave()
        text = next(c for c in community.channels.values() if c.kind == "text")
        figures["append_python_ms"] = await append(account, ChannelId(text.id), server)
        print(json.dumps(figures), flush=True)
    await app.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])))
