"""Many small writes as few large ones, without waiting for company.

Who comes first is written at once; who comes while a write is under way goes with the next one.
So a lone write is as fast as ever, and under load each write carries what gathered meanwhile.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Generic, TypeVar

from sidetone.protocol.refusals import Unavailable

ITEMS_MAX = 256
WAITING_MAX = 10_000

T = TypeVar("T")


class Batcher(Generic[T]):
    """Hands items to *write*, at most *items_max* at once and one batch after the other.

    *write* keeps all that it is given or raises and keeps none of it.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[None]],
        items_max: int = ITEMS_MAX,
        waiting_max: int = WAITING_MAX,
    ) -> None:
        self._write = write
        self._items_max = items_max
        self._waiting_max = waiting_max
        self._waiting: deque[tuple[T, asyncio.Future[None]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """Return when *item* is kept; raise what ``write`` says of it.

        Raises ``Unavailable`` where too many wait already. What a cancelled caller added may be
        kept all the same.
        """
        if len(self._waiting) >= self._waiting_max:
            raise Unavailable("writes_busy", "too much is being written at once; try again later")
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        await kept

    async def close(self) -> None:
        """Wait until what was added is written."""
        if self._writing is not None:
            await self._writing

    async def _write_waiting(self) -> None:
        """Write one batch after the other until nobody waits."""
        try:
            while self._waiting:
                batch = list(islice(self._waiting, self._items_max))
                await self._write_batch(batch)
                for _ in batch:
                    self._waiting.popleft()
        finally:
            # Somebody is left only where the whole program is being cancelled.
            for _, kept in self._waiting:
                kept.cancel()
            self._waiting.clear()
            self._writing = None

    async def _write_batch(self, batch: Sequence[tuple[T, asyncio.Future[None]]]) -> None:
        """Write *batch* at once; where that fails each alone, so that only the bad one fails.

        A store that is away fails all: asking it again for each would only take longer.
        """
        try:
            await self._write([item for item, _ in batch])
        except Exception as error:
            if len(batch) == 1 or isinstance(error, Unavailable):
                _settle(batch, error)
            else:
                for one in batch:
                    await self._write_batch([one])
        else:
            _settle(batch, None)


def _settle(batch: Sequence[tuple[T, asyncio.Future[None]]], error: Exception | None) -> None:
    """Tell those who still wait how it went."""
    for _, kept in batch:
        if kept.done():
            continue
        if error is None:
            kept.set_result(None)
        else:
            kept.set_exception(error)
