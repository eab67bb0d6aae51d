"""Change what is set: at once for all who look, and a moment later in the file.

A slider that is drawn changes it a hundred times, and is written once.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from sidetone.desktop.domain.preferences import Preferences, checked
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.protocol.refusals import Refusal

_log = logging.getLogger(__name__)

_SAVE_DELAY_SECONDS: Final = 0.5


class PreferencesStore(Protocol):
    """Where preferences are kept. May block: it has its own thread."""

    def load(self) -> tuple[Preferences, str]:
        """Return what was set, and a line for the user if it could not be read as it was."""
        ...

    def save(self, preferences: Preferences) -> None:
        """Keep *preferences*. Raises ``Unavailable`` where they cannot be."""
        ...


class KeepPreferences:
    """What is set now; *told* hears of each change."""

    def __init__(
        self, store: PreferencesStore, current: Preferences, told: Callable[[Topics], None]
    ) -> None:
        self.current = current
        self.problem = ""
        self._store = store
        self._told = told
        self._unsaved = False
        self._saving: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def change(self, wished: Preferences) -> None:
        """Set *wished* from now on. Raises ``Invalid`` that names what is out of its range."""
        self.current = checked(wished)
        self._unsaved = True
        self._told(topics(Topic("preferences")))
        if self._saving is None or self._saving.done():
            self._saving = asyncio.create_task(self._save_later())

    async def close(self) -> None:
        """Keep what was not kept yet."""
        self._closing.set()
        if self._saving is not None:
            await self._saving

    async def _save_later(self) -> None:
        while self._unsaved:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), _SAVE_DELAY_SECONDS)
            self._unsaved = False
            try:
                await asyncio.to_thread(self._store.save, self.current)
                self.problem = ""
            except Refusal as refusal:
                _log.warning("%s", refusal.detail)
                self.problem = refusal.detail
                self._told(topics(Topic("preferences")))
