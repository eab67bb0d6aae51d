"""What holds the client's loop: `./just bench client_loop --json FILE`.

One goes through a server of many channels, roles and messages in a browser, page by page. For each
step the longest call of the client's loop is printed, and what it was doing; nothing may hold it
for longer than 16 ms, the length of a picture.
"""

import argparse
import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from desktop.tests.stage import Stage, Window, a_stage
from sidetone.client.client import Client
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.servers import CreateRole
from tests.load.loop_watch import LONG_MILLISECONDS, LongCall
from tests.load.watched_client import MARK

_CHANNELS, _ROLES, _MESSAGES = 40, 12, 200
# What a step causes is over by then.
_QUIET_MS = 1_500


class Story:
    """Steps in one window, and what each held."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.found: dict[str, list[LongCall]] = {}

    async def step(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Do *work*, and note what held the loop meanwhile."""
        lines = self.window.process.lines
        before = len(lines)
        await work()
        await self.window.page.wait_for_timeout(_QUIET_MS)
        calls = [
            msgspec.json.decode(line.partition(MARK)[2], type=LongCall)
            for line in lines[before:]
            if MARK in line
        ]
        self.found[name] = sorted(calls, key=lambda call: -call.milliseconds)
        longest = self.found[name][0] if calls else None
        says = (
            f"{longest.milliseconds:7.1f} ms  {longest.what}  {longest.where}" if longest else ""
        )
        print(f"{name:28} {len(calls):3} long  {says}", flush=True)


async def furnish(client: Client) -> None:
    """Make a server with much in it."""
    home = await client.api.servers.create("Apex Squad")
    for number in range(_ROLES):
        color = 0x30_40_50 + number * 4_000
        await client.api.members.create_role(home.id, CreateRole(f"role {number}", color=color))
    general = next(c for c in await client.api.channels.of(home.id) if c.kind == "text")
    for number in range(_CHANNELS):
        kind = "voice" if number % 4 == 0 else "text"
        await client.api.channels.create(home.id, f"place-{number}", kind)
    for number in range(_MESSAGES):
        text = f"**{number}** the old fox waits by the gate, `again` and again https://example.org"
        await client.api.messages.send(ChannelId(general.id), text)


async def tell(stage: Stage) -> dict[str, list[LongCall]]:
    """Go through all of it."""
    nova = await stage.client("nova")
    await furnish(nova)
    window = await stage.window("nova", program="tests.load.watched_client")
    story = Story(window)

    async def sign_in() -> None:
        await window.sign_in("nova")
        await window.sees("server-Apex Squad")

    await story.step("sign in", sign_in)
    await story.step("open a server", lambda: window.click("server-Apex Squad"))
    await story.step("write", lambda: window.type("composer", "hello there", enter=True))
    await story.step("read back", lambda: scroll(window))
    await story.step("emoji", lambda: opened(window, "emoji-button"))
    await story.step("quick switcher", lambda: pressed(window, "Control+k"))
    await story.step("search", lambda: window.click("panel-search"))
    await story.step("another channel", lambda: window.click("channel-place-1"))
    await story.step("server settings", lambda: settings(window))
    for section in _SECTIONS:
        await story.step(section, lambda each=section: window.click(f"section-{each}"))
    await window.press("Escape")
    await story.step("user settings", lambda: window.click("open-settings"))
    for section in _OWN:
        await story.step(f"own {section}", lambda each=section: window.click(f"settings-{each}"))
    return story.found


_SECTIONS = ("roles", "channels", "see-as", "members", "invites", "emoji", "audit", "templates")
_OWN = ("sessions", "devices", "sound", "keys", "notifications", "privacy", "appearance")


async def opened(window: Window, identifier: str) -> None:
    """Open something that Escape closes, and close it."""
    await window.click(identifier)
    await window.page.wait_for_timeout(_QUIET_MS)
    await window.press("Escape")


async def pressed(window: Window, keys: str) -> None:
    """Open something by *keys*, and close it."""
    await window.press(keys)
    await window.page.wait_for_timeout(_QUIET_MS)
    await window.press("Escape")


async def settings(window: Window) -> None:
    """Go to the settings of the server."""
    await window.click("server-menu")
    await window.click("server-settings")


async def scroll(window: Window) -> None:
    """Turn the wheel up over the messages."""
    await window.page.mouse.move(640, 400)
    for _ in range(10):
        await window.page.mouse.wheel(0, -900)
        await window.page.wait_for_timeout(100)


async def measure(folder: Path) -> dict[str, list[LongCall]]:
    """Return what held the loop in each step."""
    async with a_stage(folder) as stage:
        return await tell(stage)


def main() -> None:
    """Print the longest call of each step, and write all that were too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="where to write what was found")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder)))
    longest = max((calls[0].milliseconds for calls in found.values() if calls), default=0.0)
    print(f"longest: {longest:.1f} ms; wanted: at most {LONG_MILLISECONDS:.0f} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps(msgspec.to_builtins(found), indent=1))


if __name__ == "__main__":
    main()
