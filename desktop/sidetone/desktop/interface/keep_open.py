"""Keeps a window open when a part of it fails: a component, a handler, what one does at its end.

Flet draws in one task, which ends with the first component that raises, says nothing, and leaves
the window as it was for ever; and it replaces the whole window by a traceback when a handler
raises. Here both are logged, the user is told in a line, and the window goes on.
"""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

import flet as ft

_log = logging.getLogger(__name__)


def keep_open(page: ft.Page, failed: Callable[[BaseException | None], None]) -> None:
    """Let *page* go on whatever raises in it, and tell *failed* what it was.

    Call it once the page is rendered.
    """
    _keep_drawing(page, failed)
    session: Any = page.session

    def handler_failed(_: str) -> None:
        # Flet calls this from where it caught the exception, with its traceback as text.
        failed(sys.exc_info()[1])

    def answered(control: int, call: str, result: object, error: str | None) -> None:
        # A late answer of what is not shown any more would end the connection.
        try:
            answer(control, call, result, error)
        except RuntimeError:
            _log.info("an answer came from what is not shown any more")

    answer = session.handle_invoke_method_results
    session.error = handler_failed
    session.handle_invoke_method_results = answered


def _keep_drawing(page: ft.Page, failed: Callable[[BaseException | None], None]) -> None:
    session: Any = page.session

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            session.start_updates_scheduler()
            follow()
            failed(error)

    def follow() -> None:
        # The only name that Flet has for it.
        task: asyncio.Task[None] = session._Session__updates_task  # noqa: SLF001
        task.add_done_callback(ended)

    session.start_updates_scheduler()
    follow()
