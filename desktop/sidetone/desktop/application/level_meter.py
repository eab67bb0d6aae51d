"""Tells that the microphone's level is another one, as often as eyes see, while somebody looks."""

import asyncio
from typing import Final

from sidetone.desktop.application.account import Told
from sidetone.desktop.domain.topics import Topic, topics

_SECONDS: Final = 0.05


class LevelMeter:
    """A clock of 20 Hz for the topic ``meter`` that stands still while nobody looks."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._watchers = 0
        self._running: asyncio.Task[None] | None = None

    def watch(self) -> None:
        """Tick for one more who looks."""
        self._watchers += 1
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())

    def unwatch(self) -> None:
        """Tick for one less."""
        self._watchers -= 1

    async def _run(self) -> None:
        while self._watchers > 0:
            self._told(topics(Topic("meter")))
            await asyncio.sleep(_SECONDS)
