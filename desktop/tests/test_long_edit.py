"""A message that is edited into what cannot be: it is said, and nothing written is lost."""

import pytest

from desktop.tests.stage import Stage, Window
from sidetone.client.client import Client
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.servers import EditMember
from sidetone.runtime.clock import SystemClock
from tests.waiting import until

_HOUR_MS = 3_600_000
LONG = "word " * 1_000
FITS = LONG[:3_999]


@pytest.mark.timeout(240)
async def test_an_edit_that_is_refused_stays_where_it_was_written(stage: Stage) -> None:
    nova, bolt = await stage.client("nova"), await stage.client("bolt")
    home = await nova.api.servers.create("Apex Squad")
    invite = await nova.api.servers.invite(home.id)
    await bolt.api.servers.accept_invite(invite.code)
    texts = [each for each in await bolt.api.channels.of(home.id) if each.kind == "text"]
    channel = ChannelId(texts[0].id)
    said = await bolt.api.messages.send(channel, "short")

    async def saved() -> bool:
        return (await nova.api.messages.history(channel)).items[0].text == FITS

    window = await stage.window("bolt")
    await window.sign_in("bolt")
    await window.click("server-Apex Squad")
    await _begin(window, f"message-{said.id}")
    await _write_too_much(window)
    await window.type("edit-message", FITS, enter=True)
    await window.misses("edit-message")
    await until(saved)
    said = await bolt.api.messages.send(channel, "shorter")
    await _begin(window, f"message-{said.id}")
    await _silence(nova, ServerId(home.id), bolt)
    await window.type("edit-message", "what I meant", enter=True)
    await window.hears("edit-problem", "You need SEND_MESSAGES in this channel")
    assert await _written(window) == "what I meant"
    await window.press("Escape")
    await window.misses("edit-message")
    await window.hears(f"message-{said.id}", "shorter")
    assert not window.process.unhappy()


async def _begin(window: Window, message: str) -> None:
    await window.hover(message)
    await window.click("tool-edit")
    await window.sees("edit-message")


async def _write_too_much(window: Window) -> None:
    await window.type("edit-message", LONG, enter=True)
    await window.hears("edit-problem", "999 characters too long; shorten it")
    assert await _written(window) == LONG
    # In the middle of it, Enter is no new line either.
    await window.press("Control+Home")
    await window.press("Delete")
    await window.press("Enter")
    await window.hears("edit-problem", "998 characters too long; shorten it")
    assert await _written(window) == LONG[1:]


async def _silence(nova: Client, server: ServerId, bolt: Client) -> None:
    until_ms = SystemClock().now_ms() + _HOUR_MS
    await nova.api.members.edit(server, bolt.user.id, EditMember(timeout_until_ms=until_ms))


async def _written(window: Window) -> str:
    return await (await window.sees("edit-message")).locator("textarea").first.input_value()
