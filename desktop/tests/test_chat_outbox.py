"""What is written while the server is away waits, and is sent once when it is back."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from desktop.tests.stage import PASSWORD, start_server
from sidetone.client.client import Client
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.read_history import open_channel
from sidetone.desktop.application.send_message import send_again, send_message, withdraw
from sidetone.desktop.domain.topics import Topics
from sidetone.protocol.ids import ChannelId
from sidetone.runtime.clock import SystemClock

_PATIENCE_SECONDS = 60


class Told:
    """Hears of changes, so that a test can wait for what it expects."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def __call__(self, _: Topics) -> None:
        self._changed.set()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not done():
                self._changed.clear()
                await self._changed.wait()


async def test_messages_typed_while_the_server_is_away_are_sent_once_and_in_order(
    tmp_path: Path,
) -> None:
    server = await start_server(tmp_path)
    client = Client(server.found, data_dir=tmp_path / "client")
    await client.register("nova", PASSWORD)
    home = await client.api.servers.create("Apex Squad")
    channels = await client.api.channels.of(home.id)
    channel = ChannelId(next(each.id for each in channels if each.kind == "text"))
    told = Told()
    account = Account(server.found, client, SystemClock(), told, lambda *_: None)
    account.start()
    try:
        await asyncio.wait_for(account.ready.wait(), _PATIENCE_SECONDS)
        await open_channel(account, channel)
        timeline = account.knowledge.timeline(channel)
        send_message(account, channel, "before")
        await told.until(lambda: not timeline.pending)

        server.process.kill()
        await server.process.wait()
        await told.until(lambda: account.connection == "lost")
        for number in range(3):
            send_message(account, channel, f"meanwhile {number}")
        send_message(account, channel, "better not")
        withdraw(account, channel, timeline.pending[-1].nonce)
        assert [each.text for each in timeline.pending] == [f"meanwhile {n}" for n in range(3)]

        port = re.search(r":(\d+)", server.found.partition("//")[2])
        assert port is not None
        server = await start_server(tmp_path, int(port[1]))
        await told.until(lambda: not timeline.pending)
        stored = (await client.api.messages.history(channel)).items
        said = [each.text for each in reversed(stored) if each.kind == "text"]
        assert said == ["before", "meanwhile 0", "meanwhile 1", "meanwhile 2"]
    finally:
        await account.close()
        await server.stop()


async def test_a_refused_message_says_why_and_can_be_tried_again_or_let_go(tmp_path: Path) -> None:
    server = await start_server(tmp_path)
    client = Client(server.found, data_dir=tmp_path / "client")
    await client.register("nova", PASSWORD)
    home = await client.api.servers.create("Apex Squad")
    channels = await client.api.channels.of(home.id)
    channel = ChannelId(next(each.id for each in channels if each.kind == "text"))
    told = Told()
    account = Account(server.found, client, SystemClock(), told, lambda *_: None)
    account.start()
    try:
        await open_channel(account, channel)
        timeline = account.knowledge.timeline(channel)
        send_message(account, channel, "x" * 5_000)
        await told.until(lambda: bool(timeline.pending and timeline.pending[0].problem))
        assert "4000 characters" in timeline.pending[0].problem
        first = timeline.pending[0].nonce
        send_again(account, channel, first)
        assert [each.problem for each in timeline.pending] == [""]
        await told.until(lambda: bool(timeline.pending[0].problem))
        withdraw(account, channel, timeline.pending[0].nonce)
        assert timeline.pending == []
        # What was refused holds up nothing behind it.
        send_message(account, channel, "short")
        await told.until(lambda: not timeline.pending)
    finally:
        await account.close()
        await server.stop()
