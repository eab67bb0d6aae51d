"""Keeps a window open when a part of it fails: a component, a handler, what one does at its end.

Flet says nothing when a component raises, and leaves the window as it was for ever; and it
replaces the whole window by a traceback when a handler raises. Here both are logged, the user is
told in a line, and the window goes on.
"""

import logging
import sys
from collections.abc import Callable
from typing import Any

import flet as ft

from sidetone.desktop.interface.drawing import Drawing
from sidetone.desktop.interface.entering import enter_together

_log = logging.getLogger(__name__)


def keep_open(page: ft.Page, failed: Callable[[BaseException | None], None]) -> None:
    """Let *page* go on whatever raises in it, and tell *failed* what it was.

    Call it once the page is rendered.
    """
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

    async def happened(control: int, event: str, about: object) -> None:
        # What it is about may be gone: Flet would look for it through all that is shown.
        if control in session.index:
            await tell(control, event, about)

    answer = session.handle_invoke_method_results
    tell = session.dispatch_event
    session.dispatch_event = happened
    enter_together(session)
    session.schedule_update = Drawing(page, failed).ask
    session.error = handler_failed
    session.handle_invoke_method_results = answered
