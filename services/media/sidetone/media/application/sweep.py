"""Clear away what nobody will use any more."""

from dataclasses import dataclass

from sidetone.media.application.ports import Contents, Holdings
from sidetone.media.domain.holding import Lifetimes
from sidetone.runtime.clock import Clock

_FILES_AT_ONCE = 200
_DAY_MS = 24 * 60 * 60_000


@dataclass(frozen=True, slots=True)
class Sweep:
    """Drop late uploads and unused files, and forget what was dropped.

    The bytes go first: a sweep that is broken off is repeated, and no bytes are left behind.
    """

    holdings: Holdings
    contents: Contents
    clock: Clock
    lifetimes: Lifetimes

    async def __call__(self) -> int:
        """Sweep once; return how many files were forgotten."""
        now_ms = self.clock.now_ms()
        open_before_ms = now_ms - self.lifetimes.open_ms
        await self.holdings.drop_late(open_before_ms, now_ms - self.lifetimes.unused_ms, now_ms)
        forgotten = 0
        while dropped := await self.holdings.dropped(_FILES_AT_ONCE):
            await self.contents.forget(dropped)
            await self.holdings.forget([holding.file.id for holding in dropped])
            forgotten += len(dropped)
        # The doorway of an upload outlives it, and bytes may come when all is over.
        await self.contents.sweep_quarantine(
            open_before_ms - self.lifetimes.doorway_seconds * 1000
        )
        await self.holdings.forget_spent(now_ms // _DAY_MS - 1)
        return forgotten
