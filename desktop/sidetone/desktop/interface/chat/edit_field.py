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
from sidetone.desktop.interface.forms import Doing
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import Invalid


@ft.component
def EditField(pane: Pane, message: Message) -> ft.Control:
    """Enter saves, Escape leaves it as it was; what is refused stands there until then."""

    def called(mention: str) -> str:
        return plain(pane.account, pane.community, mention)

    text, calls = completion.readable(message.text, called)
    # What stands in the field is the client's; this only follows it.
    kept = hooks.entry(text)
    # In a list, because a reference can be called and would be.
    boxes, _ = hooks.state([ft.Ref[ft.TextField]()])
    box = boxes[0]
    # Where the cursor goes with the next drawing; else it is left alone.
    cursor = hooks.entry(_end_of(text))
    doing = Doing()

    async def save() -> None:
        await _save(pane, message, completion.written(kept.value, calls))

    def change(event: ft.Event[ft.TextField]) -> None:
        old, new = kept.value, event.control.value
        if pane.shift or not completion.is_enter(old, new):
            kept.value = new
            return
        # The new line goes out of it again.
        cursor.value = completion.cursor_after(old, new) - 1
        kept.set(old)
        pane.start(doing.run(save))

    def key(event: ft.KeyDownEvent) -> None:
        if event.key == "Escape":
            pane.mark(editing=None)

    ft.use_effect(lambda: pane.start(_focus(box)), [])
    at, cursor.value = cursor.value, None
    field = _box(box, kept.value, at, change)
    hint = tr("Enter saves, Escape leaves it as it was")
    lines: list[ft.Control] = [
        kit.semantics("edit-message", field, tr("Edit the message")),
        *doing.shown("edit-problem"),
        kit.text(hint, "section", theme.FAINT),
    ]
    column = ft.Column(lines, spacing=3, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return ft.KeyboardListener(column, on_key_down=key)


def _end_of(text: str) -> int | None:
    return len(text)


async def _focus(box: ft.Ref[ft.TextField]) -> None:
    if box.current is not None:
        await box.current.focus()


async def _save(pane: Pane, message: Message, text: str) -> None:
    """Let *message* say *text*, and show it so. Raises ``Refusal``."""
    over = len(text.strip()) - TEXT_LENGTH_MAX
    if over > 0:
        words = tr("This is {n} characters too long; shorten it.", n=over)
        raise Invalid("text_too_long", words)
    await edit_message(pane.account, message, text)
    if pane.marks.editing == message.id:
        pane.mark(editing=None)


def _box(
    ref: ft.Ref[ft.TextField], text: str, cursor: int | None, change: kit.Handler
) -> ft.TextField:
    return ft.TextField(
        ref=ref,
        value=text,
        selection=None if cursor is None else ft.TextSelection(cursor, cursor),
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
