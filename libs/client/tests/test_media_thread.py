"""A link on another thread, which may end at any time."""

import asyncio
import logging
import threading
from typing import Any

import pytest

from sidetone.client.media_thread import RemoteLink


class SilentLink:
    """A link whose node never answers a goodbye."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    async def close(self) -> None:
        self.asked.set()
        await asyncio.Event().wait()


def run(loop: asyncio.AbstractEventLoop) -> None:
    """Run *loop* until it is stopped, and leave nothing of it."""
    loop.run_forever()
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


async def test_a_thread_that_ends_while_a_link_says_goodbye_ends_in_silence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=run, args=(loop,))
    thread.start()
    silent: Any = SilentLink()
    closing = asyncio.create_task(RemoteLink(silent, loop).close())
    await asyncio.to_thread(silent.asked.wait)
    loop.call_soon_threadsafe(loop.stop)
    await asyncio.to_thread(thread.join)
    await closing
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []
