"""Keep the icon in the tray as things stand: in a call or not, heard or not, unread or not."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, Protocol

from sidetone.desktop.domain.topics import Kind, Topics
from sidetone.desktop.domain.tray import TrayState
from sidetone.protocol.refusals import Refusal

_log = logging.getLogger(__name__)

_ABOUT: Final[frozenset[Kind]] = frozenset({"call", "unread", "accounts", "servers"})


class Tray(Protocol):
    """The icon of this process in the system's tray."""

    async def start(self) -> None:
        """Show the icon. Raises ``Unavailable`` where the system has no place for it."""
        ...

    async def show(self, state: TrayState) -> None:
        """Draw *state*."""
        ...

    async def stop(self) -> None:
        """Take the icon away; a second time does nothing."""
        ...


class KeepTray:
    """Draws what *state* tells whenever it is another one; *tray* may be refused by the system."""

    def __init__(self, tray: Tray, state: Callable[[], TrayState]) -> None:
        self._tray = tray
        self._state = state
        self._changed = asyncio.Event()
        self._running = asyncio.create_task(self._run())

    def told(self, changed: Topics) -> None:
        """Look again if *changed* may be about the icon."""
        if any(topic.kind in _ABOUT for topic in changed):
            self._changed.set()

    async def close(self) -> None:
        """Take the icon away."""
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self._tray.stop()

    async def _run(self) -> None:
        try:
            await self._tray.start()
        except Refusal as refusal:
            _log.info("no icon in the tray: %s", refusal.detail)
            return
        drawn: TrayState | None = None
        while True:
            state = self._state()
            if state != drawn:
                await self._tray.show(state)
                drawn = state
            await self._changed.wait()
            self._changed.clear()
