"""An account begins empty, finds friends, talks with them, and goes anywhere by its keys."""

import asyncio

import pytest

from desktop.tests.stage import PATIENCE_MS, Stage, Window
from sidetone.client.client import Client
from sidetone.protocol.ids import ChannelId

pytestmark = pytest.mark.long


async def test_from_an_empty_account_to_a_group_of_friends(stage: Stage) -> None:
    nova, cho = await stage.client("nova"), await stage.client("cho")
    bolt = await stage.window("bolt")
    await bolt.register("bolt")
    await bolt.sees("welcome")
    user = (await nova.api.accounts.user_named("bolt")).id

    # Whom nobody knows is not found, and it is said.
    await bolt.type("friend-name", "nobody-at-all", enter=True)
    await bolt.sees("friend-problem")

    # One asks, the other accepts, both ways round.
    await nova.api.people.befriend(user)
    await bolt.misses("welcome")
    await bolt.click("friends-requests")
    await bolt.click("accept-nova")
    await bolt.misses("accept-nova")
    await bolt.type("friend-name", "cho", enter=True)
    await bolt.sees("cancel-cho")
    await cho.api.people.befriend(user)
    await bolt.misses("cancel-cho")

    # A conversation of two; what the other writes is counted while one looks elsewhere.
    await bolt.click("friends-all")
    await bolt.click("talk-nova")
    await bolt.type("composer", "hello nova", enter=True)
    talk = await nova.api.people.open_conversation(user)
    channel = ChannelId(talk.channels[0].id)
    await _written(nova, bolt, channel, "hello nova")
    await bolt.click("friends")
    await nova.api.messages.send(channel, "hello bolt")
    await bolt.hears("conversation-nova", "nova, 1 unread")

    # A group, with a name of its own.
    await bolt.click("new-group")
    await bolt.click("choose-cho")
    await bolt.click("choose-nova")
    await bolt.type("group-name", "night shift", enter=True)
    await bolt.sees("conversation-night shift")
    await _by_keys(bolt)
    await _written(nova, bolt, channel, "hello bolt")
    assert not bolt.process.unhappy()


async def _by_keys(bolt: Window) -> None:
    await bolt.press("Control+k")
    await bolt.sees("quick-switcher")
    await bolt.page.keyboard.type("nov")
    await bolt.sees("found-nova")
    await bolt.press("Enter")
    await bolt.misses("quick-switcher")
    await bolt.sees("composer")
    # All of it has room, so that nothing is scrolled: it is read all the same.
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while "unread" in await bolt.said("conversation-nova"):
            await bolt.page.wait_for_timeout(50)
    await bolt.press("Control+/")
    await bolt.sees("shortcut-Ctrl+K")
    await bolt.press("Escape")
    await bolt.misses("shortcuts")


async def _written(reader: Client, window: Window, channel: ChannelId, text: str) -> None:
    """Wait until a message is on the server and in the window."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        page = await reader.api.messages.history(channel, limit=1)
        while not page.items:
            await asyncio.sleep(0.05)
            page = await reader.api.messages.history(channel, limit=1)
    assert page.items[0].text == text
    await window.sees(f"message-{page.items[0].id}")
