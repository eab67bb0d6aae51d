"""What is read as it comes is read at once, here and on the server."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from desktop.tests.stage import PASSWORD
from desktop.tests.test_chat_outbox import Told, at_home, opened
from sidetone.client.client import Client
from sidetone.desktop.application.mark_read import ReadAlong
from sidetone.desktop.application.read_history import open_channel
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.topics import Topics
from sidetone.protocol.accounts import User
from sidetone.protocol.events import ReadMarked
from sidetone.protocol.ids import ChannelId, MessageId, UserId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import SystemClock

CHANNEL = ChannelId(UUID(int=7))
FIRST, SECOND, THIRD = (MessageId(UUID(int=number)) for number in (21, 22, 23))


class Held:
    """An account whose server takes what is read only when it is let."""

    def __init__(self) -> None:
        self.knowledge = Knowledge(User(UserId(UUID(int=1)), "nova"))
        self.clock = SystemClock()
        self.client = SimpleNamespace(api=SimpleNamespace(messages=self))
        self.asked: asyncio.Queue[tuple[MessageId, asyncio.Future[None]]] = asyncio.Queue()
        self.along = ReadAlong(cast("Any", self), CHANNEL)

    async def mark_read(self, _: ChannelId, message: MessageId) -> None:
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.asked.put_nowait((message, answer))
        await answer

    def told(self, _: Topics) -> None:
        pass

    @property
    def unread(self) -> int:
        return self.knowledge.reads[CHANNEL].unread

    def comes(self) -> ReadState:
        """Let one more be unread, and return how it stands then."""
        read = self.knowledge.reads.get(CHANNEL) or ReadState(CHANNEL, None, 0, 0)
        state = ReadState(CHANNEL, read.last_read, read.unread + 1, 0)
        self.knowledge.apply(ReadMarked(state), 0)
        return state

    async def asked_no_more(self, telling: asyncio.Task[None]) -> bool:
        """Return whether *telling* ends without one more question."""
        asking = asyncio.create_task(self.asked.get())
        await asyncio.wait([telling, asking], return_when=asyncio.FIRST_COMPLETED)
        unasked = asking.cancel()
        telling.cancel()
        return unasked


@pytest.fixture
def held() -> Held:
    return Held()


async def test_it_is_known_at_once_and_unread_again_where_nobody_could_be_told(
    tmp_path: Path,
) -> None:
    server, nova, channel = await at_home(tmp_path)
    told = Told()
    account = opened(server.found, nova, tmp_path / "outbox", told)
    try:
        async with Client(server.found, data_dir=tmp_path / "bolt") as bolt:
            await account.ready.wait()
            await open_channel(account, channel)
            reads, timeline = account.knowledge.reads, account.knowledge.timeline(channel)
            await bolt.register("bolt", PASSWORD)
            (home,) = await nova.api.servers.mine()
            await bolt.api.servers.accept_invite((await nova.api.servers.invite(home.id)).code)
            # That bolt came is a message too, which may be told after what bolt says next.
            await told.until(
                lambda: any(each.kind == "member_joined" for each in timeline.messages)
            )
            along = ReadAlong(account, channel)

            async def hear(text: str) -> MessageId:
                message = await bolt.api.messages.send(channel, text)
                await told.until(lambda: timeline.newest == message.id)
                assert reads[channel].unread > 0
                return message.id

            first = await hear("hello?")
            assert along.note(first)
            assert reads[channel] == ReadState(channel, first, 0, 0)
            second = await hear("anybody?")
            # It is being told already.
            assert not along.note(second)
            assert reads[channel].unread == 0
            await along.tell()
            (known,) = [s for s in await nova.api.messages.read_states() if s.channel == channel]
            assert (known.last_read, known.unread) == (second, 0)
            third = await hear("well")
            before = reads[channel]
        await server.stop()
        assert along.note(third)
        assert reads[channel].unread == 0
        with pytest.raises(Unavailable):
            await along.tell()
        assert reads[channel] == before
    finally:
        await account.close()
        await server.stop()


async def test_who_leaves_it_unread_before_it_was_told_tells_nothing(held: Held) -> None:
    held.comes()
    assert held.along.note(FIRST)
    held.along.stop()
    assert await held.asked_no_more(asyncio.create_task(held.along.tell()))
    # What is read after that is told again.
    assert held.along.note(SECOND)


async def test_who_leaves_it_unread_while_it_is_told_tells_no_more(held: Held) -> None:
    held.comes()
    held.along.note(FIRST)
    telling = asyncio.create_task(held.along.tell())
    message, answer = await held.asked.get()
    assert message == FIRST
    held.comes()
    held.along.note(SECOND)
    held.along.stop()
    answer.set_result(None)
    assert await held.asked_no_more(telling)


async def test_what_came_while_an_earlier_telling_fails_is_unread_as_well(held: Held) -> None:
    before = held.comes()
    held.along.note(FIRST)
    telling = asyncio.create_task(held.along.tell())
    _, answer = await held.asked.get()
    held.comes()
    assert not held.along.note(SECOND)
    assert held.unread == 0
    answer.set_exception(Unavailable("gone", "the server is away"))
    with pytest.raises(Unavailable):
        await telling
    assert held.knowledge.reads[CHANNEL] == before
    # The next one starts anew, and fails for itself.
    later = held.comes()
    assert held.along.note(THIRD)
    telling = asyncio.create_task(held.along.tell())
    message, answer = await held.asked.get()
    assert message == THIRD
    answer.set_exception(Unavailable("gone", "the server is away"))
    with pytest.raises(Unavailable):
        await telling
    assert held.knowledge.reads[CHANNEL] == later


async def test_what_came_while_an_earlier_one_was_told_is_unread_if_it_cannot_be(
    held: Held,
) -> None:
    held.comes()
    held.along.note(FIRST)
    telling = asyncio.create_task(held.along.tell())
    _, answer = await held.asked.get()
    held.comes()
    held.along.note(SECOND)
    answer.set_result(None)
    message, answer = await held.asked.get()
    assert message == SECOND
    assert held.unread == 0
    answer.set_exception(Unavailable("gone", "the server is away"))
    with pytest.raises(Unavailable):
        await telling
    assert held.unread == 1
