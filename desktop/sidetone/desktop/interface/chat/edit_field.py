"""Change a message where it stands.

The field asks for the focus, which a field in which Enter submits cannot do: Enter is read from
the new line that it makes. When the field goes, the focus returns to where it was.
"""

import flet as ft

from sidetone.desktop.application.change_message import edit_message
from sidetone.desktop.domain import completion
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.composer import TEXT_LENGTH_MAX
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.written import plain
from sidetone.protocol.messages import Message


@ft.component
def EditField(pane: Pane, message: Message) -> ft.Control:
    """Enter saves, Escape leaves it as it was."""

    def called(mention: str) -> str:
        return plain(pane.account, pane.community, mention)

    text, calls = completion.readable(message.text, called)
    # What stands in the field is the client's; this only follows it.
    kept, _ = hooks.state([text])
    # In a list, because a reference can be called and would be.
    boxes, _ = hooks.state([ft.Ref[ft.TextField]()])
    box = boxes[0]

    def change(event: ft.Event[ft.TextField]) -> None:
        new = event.control.value
        saves = completion.is_enter(kept[0], new) and not pane.shift
        if not saves or not _save(pane, message, completion.written(kept[0], calls)):
            kept[0] = new

    def key(event: ft.KeyDownEvent) -> None:
        if event.key == "Escape":
            pane.mark(editing=None)

    async def take_focus() -> None:
        if box.current is not None:
            await box.current.focus()

    ft.use_effect(lambda: pane.start(take_focus()), [])
    field = kit.semantics("edit-message", _box(box, kept[0], change), tr("Edit the message"))
    hint = tr("Enter saves, Escape leaves it as it was")
    lines: list[ft.Control] = [field, kit.text(hint, "section", theme.FAINT)]
    column = ft.Column(lines, spacing=3, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return ft.KeyboardListener(column, on_key_down=key)


def _save(pane: Pane, message: Message, text: str) -> bool:
    """Let *message* say *text*; if it is too long, say so and return False: it is not lost."""
    over = len(text.strip()) - TEXT_LENGTH_MAX
    if over > 0:
        pane.view.notice(tr("This is {n} characters too long; shorten it.", n=over), bad=True)
        return False
    pane.mark(editing=None)
    pane.start(edit_message(pane.account, message, text))
    return True


def _box(ref: ft.Ref[ft.TextField], text: str, change: kit.Handler) -> ft.TextField:
    return ft.TextField(
        ref=ref,
        value=text,
        selection=ft.TextSelection(len(text), len(text)),
        on_change=change,
        multiline=True,
        min_lines=1,
        max_lines=12,
        dense=True,
        filled=True,
        fill_color=theme.WELL,
        border_color=theme.ACCENT,
        border_radius=theme.RADIUS,
        color=theme.TEXT,
    )
