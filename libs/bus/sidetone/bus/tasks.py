"""Background tasks with an owner: kept from the garbage collector, counted, ended together."""

import asyncio
from collections.abc import Coroutine
from typing import Any

# What a task waits for may swallow its cancellation: before Python 3.12 ``asyncio.wait_for`` does
# when its answer comes at the same moment.
_CANCEL_AGAIN_SECONDS = 1.0


class Tasks:
    """The tasks of one bus; whoever starts them looks at the length and keeps a bound."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* beside the caller."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self, seconds: float) -> None:
        """Return when what runs has come to its end, or after *seconds*."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def close(self) -> None:
        """Cancel what still runs, except the caller itself, and wait until it has ended."""
        # A task that is cancelled before its first step cannot clean up after itself.
        await asyncio.sleep(0)
        ending = {task for task in self._running if task is not asyncio.current_task()}
        while ending:
            for task in ending:
                task.cancel()
            ended, ending = await asyncio.wait(ending, timeout=_CANCEL_AGAIN_SECONDS)
            await asyncio.gather(*ended, return_exceptions=True)
