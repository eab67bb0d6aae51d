"""What one does with messages and files, clicked and typed in a browser."""

import asyncio
import io
import random
from pathlib import Path

import pytest
from PIL import Image

from desktop.tests.stage import PATIENCE_MS, Stage, Window
from sidetone.client.client import Client
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.messages import Message
from tests.waiting import until

pytestmark = pytest.mark.long

_MEGABYTES = 25


class Scene:
    """A window of bolt's in a server of nova's, and what the two have in it."""

    def __init__(self, window: Window, nova: Client, server: ServerId, channel: ChannelId) -> None:
        self.window = window
        self.nova = nova
        self.server = server
        self.channel = channel

    async def latest(self) -> Message:
        return (await self.nova.api.messages.history(self.channel, limit=1)).items[0]

    async def menu(self, message: Message, deed: str) -> None:
        """Do something from the menu of a message."""
        await self.window.click(f"message-{message.id}", button="right")
        await self.window.click(deed)


async def a_scene(stage: Stage) -> Scene:
    nova, bolt = await stage.client("nova"), await stage.client("bolt")
    home = await nova.api.servers.create("Apex Squad")
    general = next(c for c in await nova.api.channels.of(home.id) if c.kind == "text")
    invite = await nova.api.servers.invite(home.id)
    await bolt.api.servers.accept_invite(invite.code)
    window = await stage.window("bolt")
    await window.sign_in("bolt")
    await window.click("server-Apex Squad")
    await window.sees("composer")
    return Scene(window, nova, ServerId(home.id), ChannelId(general.id))


@pytest.mark.timeout(300)
async def test_threads_pins_reports_and_search(stage: Stage) -> None:
    scene = await a_scene(stage)
    window, nova = scene.window, scene.nova
    first = await nova.api.messages.send(scene.channel, "the old fox waits by the gate")
    await window.hears(f"message-{first.id}", "the old fox waits by the gate")
    await _threads(scene, first)
    await _report(scene, first)
    await _by_keys(scene)
    await _search(scene)
    assert await window.nameless() == []
    assert not window.process.unhappy()


async def _threads(scene: Scene, first: Message) -> None:
    window, nova = scene.window, scene.nova
    await scene.menu(first, "menu-thread")
    await window.type("question-field", "foxes", enter=True)
    await window.sees("thread-composer")
    thread = (await nova.api.messages.threads(scene.channel)).items[0]
    inside = ChannelId(thread.id)
    await window.type("thread-composer", "in here", enter=True)

    async def written() -> bool:
        return any(m.text == "in here" for m in (await nova.api.messages.history(inside)).items)

    await until(written)
    await window.click("archive-thread")
    await window.misses("thread-composer")
    await window.click("panel-threads")
    await window.click("threads-archived")
    await window.click("reopen-thread-foxes")
    await window.sees("archive-thread")
    await window.press("Escape")
    await window.misses("thread-composer")


async def _report(scene: Scene, first: Message) -> None:
    window = scene.window
    await scene.menu(first, "menu-report")
    await window.type("question-field", "it is about foxes", enter=True)
    await window.misses("question")
    reports = await scene.nova.api.moderation.reports(scene.server)
    assert [each.text for each in reports.items] == ["it is about foxes"]
    # Nova pins, bolt finds it.
    await scene.nova.api.messages.pin(scene.channel, first.id)
    await window.click("panel-pins")
    await window.hears(f"found-{first.id}", "the old fox")
    await window.press("Escape")
    await window.misses(f"found-{first.id}")


async def _by_keys(scene: Scene) -> None:
    """A message is written, chosen and deleted without a mouse."""
    window = scene.window
    await window.type("composer", "soon gone", enter=True)

    async def written() -> bool:
        return (await scene.latest()).text == "soon gone"

    await until(written)
    own = await scene.latest()
    await window.hears(f"message-{own.id}", "soon gone")
    await window.press("Alt+PageUp")
    await window.press("Shift+F10")
    await window.sees("menu-delete")
    await window.click("menu-delete")
    await window.sees("confirm-delete")
    await window.press("Enter")
    await window.misses(f"message-{own.id}")


async def _search(scene: Scene) -> None:
    window = scene.window
    await scene.nova.api.messages.send(scene.channel, "number one")
    await window.click("panel-search")
    await window.type("search-field", "number", enter=True)
    await window.sees("found-count")
    await window.click("search-has-link")
    await window.misses("found-count")
    await scene.nova.api.messages.send(scene.channel, "number https://example.org/fox")
    await window.click("search-has-link")
    await window.sees("found-count")
    await window.press("Escape")
    await window.misses("search-field")


@pytest.mark.timeout(300)
async def test_files_go_up_with_a_preview_and_come_down_as_they_were(stage: Stage) -> None:
    scene = await a_scene(stage)
    window = scene.window
    picture = io.BytesIO()
    Image.new("RGB", (320, 200), "#35D07F").save(picture, "PNG")
    content = random.Random(25).randbytes(_MEGABYTES << 20)
    large = stage.folder / "large.bin"
    await asyncio.to_thread(large.write_bytes, content[: (_MEGABYTES << 20) - 1024])
    small = stage.folder / "fox.png"
    await asyncio.to_thread(small.write_bytes, picture.getvalue())

    note = stage.folder / "note.txt"
    await asyncio.to_thread(note.write_text, "the old fox")

    await _attach(window, small)
    await window.sees("upload-ready-fox.png")
    await window.type("composer", "look", enter=True)
    await window.sees("picture-fox.png")

    await _attach(window, large)
    await window.sees("upload-ready-large.bin")
    await window.type("composer", "here it is", enter=True)
    await window.sees("file-large.bin")
    message = await scene.latest()
    kept = await scene.nova.api.media.read(message.attachments[0].id)
    assert kept == await asyncio.to_thread(large.read_bytes)

    # The small one comes down again as it was.
    await _attach(window, note)
    await window.sees("upload-ready-note.txt")
    await window.type("composer", "and a note", enter=True)
    await window.sees("save-note.txt")
    async with window.page.expect_download(timeout=PATIENCE_MS) as coming:
        await window.click("save-note.txt")
    saved = await (await coming.value).path()
    assert await asyncio.to_thread(saved.read_text) == "the old fox"
    await window.click("picture-fox.png")
    await window.press("Escape")
    assert not window.process.unhappy()


async def _attach(window: Window, path: Path) -> None:
    async with window.page.expect_file_chooser(timeout=PATIENCE_MS) as choosing:
        await window.click("attach")
    await (await choosing.value).set_files(path)


@pytest.mark.timeout(300)
async def test_an_emoji_is_added_and_channels_and_servers_are_dragged(stage: Stage) -> None:
    bolt = await stage.client("bolt")
    home = await bolt.api.servers.create("Apex Squad")
    await bolt.api.servers.create("Night Shift")
    for name in ("alpha", "beta"):
        await bolt.api.channels.create(home.id, name)
    window = await stage.window("bolt")
    await window.sign_in("bolt")
    await window.click("server-Apex Squad")
    await window.sees("channel-beta")

    async def order() -> list[str]:
        found = [each for each in await bolt.api.channels.of(home.id) if each.kind == "text"]
        return [each.name for each in sorted(found, key=lambda each: each.position)]

    before = await order()
    assert before.index("alpha") < before.index("beta")
    await _drag(window, "channel-beta", "channel-alpha")

    async def moved() -> bool:
        now = await order()
        return now.index("beta") < now.index("alpha")

    await until(moved)
    places = [await _y(window, f"server-{name}") for name in ("Apex Squad", "Night Shift")]
    upper, lower = ("Apex Squad", "Night Shift")[:: 1 if places[0] < places[1] else -1]
    await _drag(window, f"server-{lower}", f"server-{upper}")

    async def swapped() -> bool:
        return await _y(window, f"server-{lower}") < await _y(window, f"server-{upper}")

    await until(swapped)
    await _add_an_emoji(stage, window)
    assert [each.name for each in await bolt.api.servers.emoji(home.id)] == ["fox"]
    assert not window.process.unhappy()


async def _add_an_emoji(stage: Stage, window: Window) -> None:
    picture = stage.folder / "fox.png"
    await asyncio.to_thread(Image.new("RGB", (64, 64), "#FF8F6B").save, picture)
    await window.click("server-menu")
    await window.click("server-settings")
    await window.click("section-emoji")
    async with window.page.expect_file_chooser(timeout=PATIENCE_MS) as choosing:
        await window.click("emoji-upload")
    await (await choosing.value).set_files(picture)
    await window.sees("emoji-fox")


async def _y(window: Window, identifier: str) -> float:
    box = await (await window.sees(identifier)).bounding_box()
    assert box is not None
    return box["y"]


async def _drag(window: Window, what: str, onto: str) -> None:
    """Drag a control in the middle to the middle of another, as slowly as a hand."""
    mouse = window.page.mouse
    await window.hover(what)
    await mouse.down()
    await mouse.move(*[each + 12 for each in await _middle(window, what)], steps=4)
    await mouse.move(*await _middle(window, onto), steps=12)
    await window.page.wait_for_timeout(200)
    await mouse.up()


async def _middle(window: Window, identifier: str) -> tuple[float, float]:
    box = await (await window.sees(identifier)).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
