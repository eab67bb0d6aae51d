"""Draws what changed: what is around before what is in it, and each in a call of its own.

Flet draws all that changed in one call, in any order: what is drawn before what is around it is
drawn twice, nothing else moves meanwhile, and the first part that raises is the last one drawn.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import flet as ft


class Drawing:
    """What is to be drawn in the window of *page*; *failed* is told why a part could not be."""

    def __init__(self, page: ft.Page, failed: Callable[[BaseException | None], None]) -> None:
        self._page = page
        self._failed = failed
        self._waiting: set[ft.BaseControl] = set()
        self._running = False

    def ask(self, part: ft.BaseControl) -> None:
        """Draw *part* soon. Nobody sees a page whose browser is away: it is drawn when back."""
        session: Any = self._page.session
        if session.connection is None and session.expires_at is not None:
            return
        self._waiting.add(part)
        if not self._running:
            self._running = True
            self._page.run_task(self._run)

    async def _run(self) -> None:
        try:
            while self._waiting:
                now = sorted(self._waiting, key=_depth)
                self._waiting.clear()
                for part in now:
                    self._draw(part)
                    await asyncio.sleep(0)
        finally:
            self._running = False

    def _draw(self, part: Any) -> None:
        try:
            part.update()
        except Exception as error:
            self._failed(error)


def _depth(part: ft.BaseControl) -> int:
    """Return how many are around *part*."""
    depth = 0
    around = part.parent
    while around is not None:
        depth += 1
        around = around.parent
    return depth
