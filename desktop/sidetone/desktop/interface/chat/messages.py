"""A channel or a thread: its messages, and where one writes."""

import flet as ft

from sidetone.desktop.interface.chat.composer import Composer
from sidetone.desktop.interface.chat.message_list import JumpPill, MessageList
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.typing_line import TypingLine


@ft.component
def Messages(pane: Pane) -> ft.Control:
    """Draw the messages of a channel or a thread, and where one writes."""

    def key(event: ft.KeyDownEvent | ft.KeyUpEvent, *, down: bool) -> None:
        if event.key.startswith("Shift"):
            pane.shift = down

    listing = ft.Stack(
        [
            MessageList(pane),
            ft.Container(JumpPill(pane), bottom=8, right=24),
        ],
        expand=True,
        fit=ft.StackFit.EXPAND,
    )
    body = ft.Column([listing, Composer(pane), TypingLine(pane)], spacing=0, expand=True)
    listener = ft.KeyboardListener(
        body, on_key_down=lambda e: key(e, down=True), on_key_up=lambda e: key(e, down=False)
    )
    return ft.Container(listener, expand=True)
