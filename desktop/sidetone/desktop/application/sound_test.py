"""Hear yourself as the others would: the whole way of the voice, without a call."""

import asyncio
from typing import Protocol

from sidetone.desktop.application.account import Told
from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.domain.preferences import Voice
from sidetone.desktop.domain.topics import Topic, topics
from sidetone.desktop.domain.wording import told
from sidetone.protocol.refusals import Refusal


class Loop(Protocol):
    """A microphone that is heard on the loudspeaker. Its calls block for a moment."""

    def start(self, voice: Voice) -> list[str]:
        """Begin; return lines for the user about what could not be had."""
        ...

    def stop(self) -> None:
        """End; a second time does nothing."""
        ...

    @property
    def level_db(self) -> float | None:
        """The level of the microphone in dBFS, None while it does not run."""
        ...


class SoundTest:
    """The test of the settings; there is one for each process."""

    def __init__(self, loop: Loop, preferences: KeepPreferences, told: Told) -> None:
        self.running = False
        self.problem = ""
        self._loop = loop
        self._preferences = preferences
        self._told = told

    @property
    def level_db(self) -> float | None:
        """The level of the microphone while the test runs."""
        return self._loop.level_db

    async def start(self) -> None:
        """Begin to hear yourself."""
        self.running, self.problem = True, ""
        self._tell()
        try:
            voice = self._preferences.current.voice
            self.problem = " ".join(map(told, await asyncio.to_thread(self._loop.start, voice)))
        except Refusal as refusal:
            self.running, self.problem = False, refusal.detail
        self._tell()

    async def stop(self) -> None:
        """End it."""
        await asyncio.to_thread(self._loop.stop)
        self.running = False
        self._tell()

    def _tell(self) -> None:
        self._told(topics(Topic("sound_test")))
