"""Change a message where it stands."""

import flet as ft

from sidetone.desktop.application.change_message import edit_message
from sidetone.desktop.domain import completion
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.written import plain
from sidetone.protocol.messages import Message


@ft.component
def EditField(pane: Pane, message: Message) -> ft.Control:
    """Enter saves, Escape leaves it as it was."""

    def called(mention: str) -> str:
        return plain(pane.account, pane.community, mention)

    # What stands in the field is the client's; this only follows it.
    text, calls = completion.readable(message.text, called)
    kept, _ = hooks.state([text])

    def change(event: ft.Event[ft.TextField]) -> None:
        kept[0] = event.control.value

    def save() -> None:
        pane.mark(editing=None)
        pane.start(edit_message(pane.account, message, completion.written(kept[0], calls)))
        pane.focus_composer()

    def cancel() -> None:
        pane.mark(editing=None)
        pane.focus_composer()

    def key(event: ft.KeyDownEvent) -> None:
        if event.key == "Escape":
            cancel()

    box = _box(kept[0], change, save)
    hint = tr("Enter saves, Escape leaves it as it was")
    return ft.KeyboardListener(
        ft.Column(
            [
                kit.semantics("edit-message", box, tr("Edit the message")),
                kit.text(hint, "section", theme.FAINT),
            ],
            spacing=3,
        ),
        on_key_down=key,
    )


def _box(text: str, change: kit.Handler, save: kit.Handler) -> ft.TextField:
    return ft.TextField(
        value=text,
        on_change=change,
        on_submit=save,
        multiline=True,
        shift_enter=True,
        min_lines=1,
        max_lines=12,
        autofocus=True,
        dense=True,
        filled=True,
        fill_color=theme.RAISED,
        border_color=theme.ACCENT,
        border_radius=theme.RADIUS,
        color=theme.TEXT,
    )
