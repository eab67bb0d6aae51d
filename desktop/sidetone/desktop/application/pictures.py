"""Small pictures that screens show: fetched once each, kept in memory up to a bound.

Who draws asks ``get`` and follows the topic of the file: the first answer is None, and the
picture is told of when it is there.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sidetone.client.client import Client
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.protocol.ids import FileId
from sidetone.protocol.refusals import Refusal

_log = logging.getLogger(__name__)

# Bytes of pictures kept; what was unused for longest goes first.
KEPT_BYTES_MAX: Final = 32 << 20
# Pictures on their way at once; the others wait for their turn.
_AT_ONCE: Final = 4


class Pictures:
    """The pictures that one account has seen; *told* hears of each that has come."""

    def __init__(self, client: Client, told: Callable[[Topics], None]) -> None:
        self._client = client
        self._told = told
        self._kept: dict[FileId, bytes] = {}
        self._size = 0
        self._asked: set[FileId] = set()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, file: FileId) -> bytes | None:
        """Return the small copy of *file* if it is here, and have it brought if not."""
        picture = self._kept.pop(file, None)
        if picture is not None:
            self._kept[file] = picture
        elif file not in self._asked:
            self._asked.add(file)
            task = asyncio.create_task(self._bring(file))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return picture

    async def close(self) -> None:
        """Bring nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _bring(self, file: FileId) -> None:
        """One that cannot be had is not asked for again: there are initials in its place."""
        try:
            async with self._turn:
                picture = await self._client.api.media.preview(file)
        except Refusal as refusal:
            _log.info("a picture cannot be shown: %s", refusal.detail)
            return
        self._asked.discard(file)
        self._kept[file] = picture
        self._size += len(picture)
        while self._size > KEPT_BYTES_MAX and len(self._kept) > 1:
            self._size -= len(self._kept.pop(next(iter(self._kept))))
        self._told(topics(Topic("file", file)))
