"""Draws what changed: what is around before what is in it, and no longer in one call than it must.

Flet draws all that changed in one call, in any order: what is drawn before what is around it is
drawn twice, nothing else moves meanwhile, and the first part that raises is the last one drawn.
"""

import asyncio
import time
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Final

import flet as ft

# After so long all else has its turn, whether one part took it or many.
_HELD_SECONDS: Final = 0.003


class Drawing:
    """What is to be drawn in the window of *page*; *failed* is told why a part could not be.

    Make it where Flet knows the page: in a task or handler of its own.
    """

    def __init__(self, page: ft.Page, failed: Callable[[BaseException | None], None]) -> None:
        self._page = page
        self._failed = failed
        self._waiting: set[ft.BaseControl] = set()
        # What is drawn finds its page there.
        self._context = copy_context()
        self._task: asyncio.Task[None] | None = None

    def ask(self, part: ft.BaseControl) -> None:
        """Draw *part* soon, unless the browser is away: Flet sends nothing then either."""
        session: Any = self._page.session
        if session.connection is None and session.expires_at is not None:
            return
        self._waiting.add(part)
        if self._task is None or self._task.done():
            loop = asyncio.get_running_loop()
            self._task = loop.create_task(self._run(), context=self._context)

    async def _run(self) -> None:
        while self._waiting:
            now = sorted(self._waiting, key=_depth)
            self._waiting.clear()
            began = time.thread_time()
            for part in now:
                self._draw(part)
                if time.thread_time() - began > _HELD_SECONDS:
                    await asyncio.sleep(0)
                    began = time.thread_time()

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
