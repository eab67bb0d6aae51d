"""Clear away what is left of deleted channels and messages, and archive threads gone quiet."""

import asyncio
from dataclasses import dataclass, field

import structlog

from sidetone.chat.application.leftovers import Leftovers
from sidetone.chat.application.manage_threads import ManageThreads
from sidetone.chat.application.media import Media
from sidetone.protocol.refusals import Refusal

_EVERY_SECONDS = 600.0
_AT_ONCE = 200

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SweepMessages:
    """Deleting a channel takes one moment, however much it holds; the rest is done here.

    Everything is found by looking at what is stored, so a process that dies forgets nothing, and
    two that sweep at once only do some of it twice.
    """

    leftovers: Leftovers
    threads: ManageThreads
    media: Media
    due: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self) -> None:
        """Sweep now and then, and soon after ``due`` was set, for as long as the process lives."""
        while True:
            try:
                await self.sweep()
            except Refusal as refusal:
                _log.warning("sweep_waits", code=refusal.code)
            except Exception:
                _log.exception("sweep_failed")
            try:
                async with asyncio.timeout(_EVERY_SECONDS):
                    await self.due.wait()
            except TimeoutError:
                pass
            self.due.clear()

    async def sweep(self) -> None:
        """Do what is to be done at this moment. Raises ``Refusal``: the rest stays for later."""
        while channels := await self.leftovers.channels(_AT_ONCE):
            for channel in channels:
                while await self.leftovers.clear(channel, _AT_ONCE) == _AT_ONCE:
                    pass
        while await self.threads.archive_idle():
            pass
        while files := await self.leftovers.files(_AT_ONCE):
            await self.media.drop(files)
            await self.leftovers.forget_files(files)
