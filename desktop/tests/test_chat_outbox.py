"""What is written while the server is away waits, and is sent once when it is back."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from desktop.tests.stage import PASSWORD, Process, start_server
from sidetone.client.client import Client
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.outbox import WAITING_MAX, Outbox, Written
from sidetone.desktop.application.read_history import open_channel
from sidetone.desktop.application.send_message import send_message, withdraw
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.timeline import Pending, Timeline
from sidetone.desktop.domain.topics import Topics
from sidetone.desktop.infrastructure.outbox_folder import OutboxFolder
from sidetone.protocol.accounts import User
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Invalid, Unavailable
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


async def at_home(folder: Path) -> tuple[Process, Client, ChannelId]:
    """Return a server, one who has an account on it, and a channel of theirs."""
    server = await start_server(folder)
    client = Client(server.found, data_dir=folder / "client")
    await client.register("nova", PASSWORD)
    home = await client.api.servers.create("Apex Squad")
    channels = await client.api.channels.of(home.id)
    return server, client, ChannelId(next(each.id for each in channels if each.kind == "text"))


def port_of(address: str) -> int:
    """Return the port in *address*."""
    return urlsplit(address).port or 0


def opened(address: str, client: Client, folder: Path, told: Told) -> Account:
    """Return an account of *client* that keeps what it writes in *folder*."""
    store = OutboxFolder(folder)
    account = Account(address, client, SystemClock(), store, told, lambda *_: None)
    account.start()
    return account


async def kept(folder: Path, count: int) -> None:
    """Return when so many messages lie in *folder*."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            if len(OutboxFolder(folder).all()) == count:
                return
            await asyncio.sleep(0.02)


async def test_messages_typed_while_the_server_is_away_are_sent_once_and_in_order(
    tmp_path: Path,
) -> None:
    server, client, channel = await at_home(tmp_path)
    told = Told()
    account = opened(server.found, client, tmp_path / "outbox", told)
    try:
        await asyncio.wait_for(account.ready.wait(), _PATIENCE_SECONDS)
        await open_channel(account, channel)
        timeline = account.knowledge.timeline(channel)
        await send_message(account, channel, "before")
        await told.until(lambda: not timeline.pending)

        server.process.kill()
        await server.process.wait()
        await told.until(lambda: account.connection == "lost")
        for number in range(3):
            await send_message(account, channel, f"meanwhile {number}")
        await send_message(account, channel, "better not")
        await withdraw(account, channel, timeline.pending[-1].nonce)
        assert [each.text for each in timeline.pending] == [f"meanwhile {n}" for n in range(3)]

        server = await start_server(tmp_path, port_of(server.found))
        await told.until(lambda: not timeline.pending)
        stored = (await client.api.messages.history(channel)).items
        said = [each.text for each in reversed(stored) if each.kind == "text"]
        assert said == ["before", "meanwhile 0", "meanwhile 1", "meanwhile 2"]
    finally:
        await account.close()
        await server.stop()


async def test_a_refused_message_says_why_and_can_be_tried_again_or_let_go(tmp_path: Path) -> None:
    server, client, channel = await at_home(tmp_path)
    told = Told()
    account = opened(server.found, client, tmp_path / "outbox", told)
    try:
        await open_channel(account, channel)
        timeline = account.knowledge.timeline(channel)
        await send_message(account, channel, "x" * 5_000)
        await told.until(lambda: bool(timeline.pending and timeline.pending[0].problem))
        assert "4000 characters" in timeline.pending[0].problem
        first = timeline.pending[0].nonce
        await account.outbox.try_again(first)
        assert [each.problem for each in timeline.pending] == [""]
        await told.until(lambda: bool(timeline.pending[0].problem))
        await withdraw(account, channel, timeline.pending[0].nonce)
        assert timeline.pending == []
        # What was refused holds up nothing behind it.
        await send_message(account, channel, "short")
        await told.until(lambda: not timeline.pending)
    finally:
        await account.close()
        await server.stop()


async def test_what_was_written_outlives_the_process_and_is_sent_once(tmp_path: Path) -> None:
    server, client, channel = await at_home(tmp_path)
    folder, told = tmp_path / "outbox", Told()
    account = opened(server.found, client, folder, told)
    await asyncio.wait_for(account.ready.wait(), _PATIENCE_SECONDS)
    timeline = account.knowledge.timeline(channel)
    await send_message(account, channel, "acknowledged")
    await told.until(lambda: not timeline.pending)
    await kept(folder, 0)
    (acknowledged,) = (await client.api.messages.history(channel)).items[:1]
    await send_message(account, channel, "x" * 5_000)
    await told.until(lambda: bool(timeline.pending and timeline.pending[0].problem))
    server.process.kill()
    await server.process.wait()
    await send_message(account, channel, "in the dark")
    await account.close()
    # As if the process had ended between the acknowledgement and its being noted.
    assert acknowledged.nonce is not None
    OutboxFolder(folder).keep(Written(channel, Pending(acknowledged.nonce, "acknowledged", 0)))

    server = await start_server(tmp_path, port_of(server.found))
    later = Client(server.found, data_dir=tmp_path / "client")
    await later.log_in("nova", PASSWORD)
    account = opened(server.found, later, folder, told)
    try:
        timeline = account.knowledge.timeline(channel)
        await told.until(lambda: [len(each.text) for each in timeline.pending] == [5_000])
        assert "4000 characters" in timeline.pending[0].problem
        stored = (await later.api.messages.history(channel)).items
        said = [each.text for each in reversed(stored) if each.kind == "text"]
        assert said == ["acknowledged", "in the dark"]
        await kept(folder, 1)
        await account.outbox.clear()
        assert OutboxFolder(folder).all() == []
    finally:
        await account.close()
        await server.stop()


def test_a_message_lies_for_its_owner_alone_until_it_is_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    written = [
        Written(ChannelId(UUID(int=1)), Pending(f"00{number}", f"word {number}", number))
        for number in range(3)
    ]
    for each in reversed(written):
        OutboxFolder(folder).keep(each)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert OutboxFolder(folder).all() == written
    (folder / "001.json").write_bytes(b"half a mess")
    OutboxFolder(folder).forget("000")
    OutboxFolder(folder).forget("000")
    assert OutboxFolder(folder).all() == written[2:]
    assert (folder / "001.json").exists()


async def test_who_cannot_keep_a_message_is_told_and_it_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outbox, timeline = _offline(OutboxFolder(tmp_path / "file" / "outbox"))
    with pytest.raises(Unavailable, match="cannot be kept"):
        await outbox.put(_SOMEWHERE, Pending("1", "hello", 0))
    assert timeline.pending == []


async def test_so_many_wait_and_no_more(tmp_path: Path) -> None:
    store = OutboxFolder(tmp_path)
    outbox, timeline = _offline(store)
    for number in range(WAITING_MAX):
        await outbox.put(_SOMEWHERE, Pending(f"{number:03}", "hello", number))
    with pytest.raises(Invalid, match="Too many"):
        await outbox.put(_SOMEWHERE, Pending("more", "hello", 0))
    assert len(timeline.pending) == len(store.all()) == WAITING_MAX
    await outbox.withdraw("000")
    await outbox.put(_SOMEWHERE, Pending("more", "hello", 0))


_SOMEWHERE = ChannelId(UUID(int=7))


def _offline(store: OutboxFolder) -> tuple[Outbox, Timeline]:
    """Return an outbox from which nothing is sent, and what is shown of it."""
    knowledge = Knowledge(User(UserId(UUID(int=1)), "nova"))
    client = Client("sidetone://127.0.0.1:1#" + "A" * 43, data_dir=Path("unused"))
    return Outbox(client, knowledge, lambda _: None, store), knowledge.timeline(_SOMEWHERE)
