"""What is read as it comes is read at once, here and on the server."""

from pathlib import Path

import pytest

from desktop.tests.stage import PASSWORD
from desktop.tests.test_chat_outbox import Told, at_home, opened
from sidetone.client.client import Client
from sidetone.desktop.application.mark_read import ReadAlong
from sidetone.desktop.application.read_history import open_channel
from sidetone.protocol.ids import MessageId
from sidetone.protocol.messages import ReadState
from sidetone.protocol.refusals import Unavailable


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
