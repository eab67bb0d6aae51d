"""Forget that closed accounts were there, so that their names are free again."""

import asyncio
from dataclasses import dataclass

import structlog

from sidetone.auth.application.operator_ports import ClosedAccounts
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock

DAY_MS = 24 * 3_600_000

_EVERY_SECONDS = 3_600.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class PurgeAccounts:
    """What is personal went when the account was closed; its name goes after *kept_days*.

    Zero: never. Those that were closed before that was noted stay.
    """

    closed: ClosedAccounts
    clock: Clock
    kept_days: int

    async def work(self) -> None:
        """Do it every hour, for as long as the process lives."""
        while self.kept_days:
            try:
                purged = await self()
                if purged:
                    _log.info("accounts_purged", accounts=purged)
            except Unavailable as unavailable:
                _log.warning("accounts_not_purged", reason=unavailable.detail)
            except Exception:
                _log.exception("accounts_not_purged")
            await asyncio.sleep(_EVERY_SECONDS)

    async def __call__(self) -> int:
        """Forget those that are due; return how many there were. Raises ``Unavailable``."""
        return await self.closed.forget(self._before_ms()) if self.kept_days else 0

    async def due(self) -> int:
        """Return how many are due. Raises ``Unavailable``."""
        return await self.closed.count(self._before_ms()) if self.kept_days else 0

    def _before_ms(self) -> int:
        return self.clock.now_ms() - self.kept_days * DAY_MS
