"""Tell the user outside of the window what happens in all accounts, and take it back when seen."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.notifying import (
    News,
    Notice,
    Pace,
    news_in,
    notice_of,
    over_in,
    wanted,
)
from sidetone.protocol.events import ClientEvent
from sidetone.runtime.clock import Clock

_log = logging.getLogger(__name__)

# What a system that is slow to show notices may leave behind: then the oldest are not shown.
_WAITING_MAX: Final = 32


class Knowing(Protocol):
    """An account, as far as it matters here."""

    knowledge: Knowledge


class Notifier(Protocol):
    """What shows notices: the system, one for each group."""

    async def show(self, notice: Notice) -> None:
        """Show *notice* in place of the one before it of its group."""
        ...

    async def take_back(self, group: str) -> None:
        """Show nothing of *group* any more."""
        ...


class Notify:
    """Hears events of every account, by ``heard``; *looked_at* knows what a window shows now."""

    def __init__(
        self,
        notifier: Notifier,
        preferences: KeepPreferences,
        clock: Clock,
        looked_at: Callable[[News], bool],
    ) -> None:
        self._notifier = notifier
        self._preferences = preferences
        self._clock = clock
        self._looked_at = looked_at
        self._pace = Pace()
        self._waiting: deque[Notice | str] = deque(maxlen=_WAITING_MAX)
        self._working: asyncio.Task[None] | None = None

    def heard(self, account: Knowing, event: ClientEvent) -> None:
        """Show or take back what *event* asks for; called in the loop, and quick."""
        over = over_in(event, account.knowledge)
        if over is not None and self._pace.over(over):
            self._put(over)
        news = news_in(event, account.knowledge)
        preferences = self._preferences.current
        if (
            news is None
            or not wanted(news, account.knowledge, preferences.notifications)
            or self._looked_at(news)
        ):
            return
        admitted = self._pace.admit(notice_of(news, preferences), self._clock.now_ms())
        if admitted is not None:
            self._put(admitted)

    async def close(self) -> None:
        """Show nothing more."""
        self._waiting.clear()
        if self._working is not None:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)

    def _put(self, work: Notice | str) -> None:
        self._waiting.append(work)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            work = self._waiting.popleft()
            try:
                if isinstance(work, str):
                    await self._notifier.take_back(work)
                else:
                    await self._notifier.show(work)
            except Exception:
                # The system's notices are not ours to depend on.
                _log.exception("a notice could not be shown")
