"""Clear away bytes that nothing is known of: what a crash, or an older backup, left behind."""

from dataclasses import dataclass

from sidetone.media.application.ports import Contents, Holdings
from sidetone.runtime.clock import Clock

# What came in since then may be on its way to being known.
YOUNG_MS = 24 * 3_600_000

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class SweepOrphans:
    """Go through the whole store; a few rows are asked for at a time."""

    holdings: Holdings
    contents: Contents
    clock: Clock

    async def __call__(self, *, only_look: bool = False) -> tuple[int, int]:
        """Remove orphans; return how many there were, and their bytes. Raises ``Unavailable``."""
        young_ms = self.clock.now_ms() - YOUNG_MS
        count = size_bytes = 0
        mark = ""
        while found := await self.contents.lying(mark, _AT_ONCE):
            mark = found[-1].mark
            old = [each for each in found if each.written_at_ms < young_ms]
            known = await self.holdings.known([each.file for each in old if each.file])
            orphans = [each for each in old if each.file and each.file not in known]
            if not only_look:
                await self.contents.remove(orphans)
            count += len(orphans)
            size_bytes += sum(each.size_bytes for each in orphans)
        return count, size_bytes
