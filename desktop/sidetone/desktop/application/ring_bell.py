"""Rings while somebody calls any of our accounts, where the user wants to hear it."""

import asyncio
from collections.abc import Sequence

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.keep_preferences import KeepPreferences
from sidetone.desktop.application.ring import incoming_calls
from sidetone.desktop.application.sound_devices import Ringer


class RingBell:
    """Turns *ringer* on and off, one after another, on a thread."""

    def __init__(self, ringer: Ringer, preferences: KeepPreferences) -> None:
        self._ringer = ringer
        self._preferences = preferences
        self._wants = False
        self._rings = False
        self._turning: asyncio.Task[None] | None = None

    def follow(self, accounts: Sequence[Account]) -> None:
        """Ring if somebody calls now, else be silent."""
        wishes = self._preferences.current.notifications
        quiet = wishes.do_not_disturb or not (wishes.sounds and wishes.calls)
        self._want(ringing=bool(incoming_calls(accounts)) and not quiet)

    async def close(self) -> None:
        """Be silent."""
        self._want(ringing=False)
        if self._turning is not None:
            await self._turning

    def _want(self, *, ringing: bool) -> None:
        self._wants = ringing
        if self._wants != self._rings and (self._turning is None or self._turning.done()):
            self._turning = asyncio.create_task(self._turn())

    async def _turn(self) -> None:
        while self._wants != self._rings:
            self._rings = self._wants
            if self._rings:
                voice = self._preferences.current.voice
                await asyncio.to_thread(self._ringer.start, voice)
            else:
                await asyncio.to_thread(self._ringer.stop)
