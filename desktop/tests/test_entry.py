"""The ways in: what is wrong is said, what is remembered comes back, what is away is awaited."""

import asyncio
from urllib.parse import urlsplit

import pytest

from desktop.tests.stage import PATIENCE_MS, Stage, Window, start_server
from sidetone.client.client import Client
from sidetone.desktop.domain.invite_link import link_of
from sidetone.protocol.ids import ChannelId

pytestmark = pytest.mark.long


@pytest.mark.timeout(300)
async def test_what_keeps_one_out_is_said_and_an_invite_leads_in(stage: Stage) -> None:
    nova = await stage.client("nova")
    home = await nova.api.servers.create("Apex Squad")
    invite = await nova.api.servers.invite(home.id)
    link = link_of(stage.address, invite.code)
    bolt = await stage.window("bolt", link=link)
    assert await bolt.nameless() == []

    # Another key, no machine at all, a wrong password: each is a line, and nothing is lost.
    base, _, pin = stage.address.partition("#")
    await bolt.type("sign-in-address", f"{base}#{'A' * len(pin)}")
    await bolt.sign_in("nova")
    await bolt.hears("sign-in-problem", "does not hold the key")
    await bolt.type("sign-in-address", f"sidetone://127.0.0.1:1#{pin}")
    await bolt.click("sign-in-submit")
    await bolt.hears("sign-in-problem", "No answer from")
    await bolt.type("sign-in-address", stage.address)
    await bolt.type("sign-in-password", "seven quiet herons at noon", enter=True)
    await bolt.hears("sign-in-problem", "wrong")

    # A new account, and on to what one came for.
    await bolt.type("sign-in-address", link)
    await bolt.register("bolt")
    await bolt.sees("join-server")
    await bolt.click("server-join")
    await bolt.sees("invite-preview")
    await bolt.click("server-join")
    await bolt.sees("server-Apex Squad")
    await bolt.sees("composer")
    assert await bolt.nameless() == []
    assert not bolt.process.unhappy()


@pytest.mark.timeout(300)
async def test_a_server_that_goes_away_and_comes_back(stage: Stage) -> None:
    nova = await stage.client("nova")
    home = await nova.api.servers.create("Apex Squad")
    general = next(c for c in await nova.api.channels.of(home.id) if c.kind == "text")
    invite = await nova.api.servers.invite(home.id)
    bolt = await stage.window("bolt", link=link_of(stage.address, invite.code))
    await bolt.register("bolt")
    await bolt.click("server-join")
    await bolt.sees("invite-preview")
    await bolt.click("server-join")
    await bolt.sees("composer")

    port = urlsplit(stage.address).port
    assert port is not None
    stage.server.process.kill()
    await stage.server.process.wait()
    await bolt.sees("trouble")
    await bolt.type("composer", "written in the dark", enter=True)
    again = await start_server(stage.folder, port)
    stage.stack.push_async_callback(again.stop)
    assert again.found == stage.address
    await bolt.misses("trouble")
    await _written_once(nova, ChannelId(general.id), "written in the dark", bolt)

    # The next start comes back by itself, and waits for a machine that is away.
    await bolt.process.stop()
    await again.stop()
    later = await stage.window("later", folder=bolt.folder, link="")
    await later.sees("returning-bolt")
    await later.hears("returning-bolt", "Away")
    third = await start_server(stage.folder, port)
    stage.stack.push_async_callback(third.stop)
    await later.sees("server-Apex Squad")
    assert not bolt.process.unhappy()
    assert not later.process.unhappy()


async def _written_once(reader: Client, channel: ChannelId, text: str, window: Window) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            page = await reader.api.messages.history(channel)
            written = [message for message in page.items if message.text == text]
            if written:
                break
            await asyncio.sleep(0.05)
    assert len(written) == 1
    await window.sees(f"message-{written[0].id}")
