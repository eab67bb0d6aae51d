"""A message that is chosen by keys is chosen when the next key comes, however soon that is."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

from desktop.tests.test_chat_outbox import Told, at_home, opened
from sidetone.desktop.application.read_history import open_channel
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.interface.chat.pane import Pane


class Busy:
    """A window that comes to nothing but the keys themselves."""

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        work.close()

    def draw(self, *_: Topic) -> None:
        pass


async def test_a_key_that_chooses_has_chosen_before_anything_else_is_done(tmp_path: Path) -> None:
    server, nova, channel = await at_home(tmp_path)
    account = opened(server.found, nova, tmp_path / "outbox", Told())
    try:
        for text in ("one", "two", "three"):
            await nova.api.messages.send(channel, text)
        await open_channel(account, channel)
        pane = Pane(cast("Any", Busy()), account, channel)
        newest_first = [each.id for each in reversed(pane.timeline.messages)]
        # The newest, two steps up, one down, and far beyond it.
        for step, chosen in ((-1, 0), (-1, 1), (-1, 2), (1, 1), (5, 0)):
            pane.step(step)
            assert pane.marks.found == newest_first[chosen]
    finally:
        await account.close()
        await server.stop()
