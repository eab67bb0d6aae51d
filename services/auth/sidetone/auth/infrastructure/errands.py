"""What is done after the answer, one after the other, in the background."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from sidetone.protocol.refusals import Refusal

WAITING_MAX = 1_000
_log = structlog.get_logger(__name__)


class QueuedErrands:
    """A bounded queue and one worker; an errand that fails is logged and not repeated."""

    def __init__(self, waiting_max: int = WAITING_MAX) -> None:
        self._waiting: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue(waiting_max)

    def add(self, errand: Callable[[], Awaitable[None]]) -> None:
        """Do *errand* soon; it is dropped and logged when too many wait. Nothing is raised."""
        try:
            self._waiting.put_nowait(errand)
        except asyncio.QueueFull:
            _log.warning("errand_dropped", waiting=self._waiting.qsize())

    async def work(self) -> None:
        """Do what waits, for as long as the process lives."""
        while True:
            errand = await self._waiting.get()
            try:
                await errand()
            except Refusal as refusal:
                _log.warning("errand_failed", code=refusal.code)
            except Exception:
                _log.exception("errand_failed")
