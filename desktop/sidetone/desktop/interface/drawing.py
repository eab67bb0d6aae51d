"""Keeps a window drawing when one of its components fails.

Flet draws in one task, which ends with the first component that raises, says nothing, and leaves
the window as it was for ever. Here it is logged, the user is told, and drawing goes on.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import flet as ft

_log = logging.getLogger(__name__)


def keep_drawing(page: ft.Page, failed: Callable[[], None]) -> None:
    """Begin to draw *page* anew whenever that ended with an error, and tell *failed*."""
    session: Any = page.session

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("a part of the window could not be drawn", exc_info=error)
            session.start_updates_scheduler()
            follow()
            failed()

    def follow() -> None:
        # The only name that Flet has for it.
        task: asyncio.Task[None] = session._Session__updates_task  # noqa: SLF001
        task.add_done_callback(ended)

    session.start_updates_scheduler()
    follow()
