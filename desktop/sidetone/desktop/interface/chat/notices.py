"""Lines that the server writes by itself, in words."""

import flet as ft

from sidetone.desktop.domain import names
from sidetone.desktop.domain.rows import time_of
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.protocol.calls import Call
from sidetone.protocol.messages import Message, MessageKind

_ICONS: dict[MessageKind, tuple[ft.IconData, str]] = {
    "member_joined": (ft.Icons.LOGIN, theme.GOOD),
    "message_pinned": (ft.Icons.PUSH_PIN_OUTLINED, theme.QUIET),
    "thread_opened": (ft.Icons.FORUM_OUTLINED, theme.QUIET),
    "call": (ft.Icons.CALL, theme.GOOD),
}


@ft.component
def Notice(pane: Pane, message: Message) -> ft.Control:
    """Draw one of them; it leads to what it tells of."""
    pane.view.watch(Topic("user", message.author))
    name = names.name_of(pane.account.knowledge, message.author, pane.community)
    icon, color = _ICONS.get(message.kind, (ft.Icons.INFO_OUTLINE, theme.QUIET))
    if message.call is not None and message.call.answered_at_ms is None:
        icon, color = ft.Icons.CALL_MISSED, theme.BAD
    words = _words(message, name)
    told = ft.Row(
        [
            kit.text(words, color=theme.QUIET),
            kit.text(times.moment(time_of(message.id)), "section", theme.FAINT),
        ],
        spacing=14,
        wrap=True,
        run_spacing=0,
        expand=True,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )
    line = ft.Row([ft.Container(ft.Icon(icon, size=18, color=color), width=36), told], spacing=14)
    target = message.reply_to
    if message.thread is not None:
        thread = message.thread
        return ft.Container(line, on_click=lambda: pane.view.go(thread=thread))
    if target is not None:
        return ft.Container(line, on_click=lambda: pane.jump(target))
    return line


def _words(message: Message, name: str) -> str:
    match message.kind:
        case "member_joined":
            return tr("{name} has joined.", name=name)
        case "message_pinned":
            return tr("{name} has pinned a message.", name=name)
        case "thread_opened":
            return tr("{name} has begun the thread {thread}.", name=name, thread=message.text)
        case "call" if message.call is not None:
            return _call_words(message.call, name)
        case _:
            return message.text


def _call_words(call: Call, name: str) -> str:
    if call.answered_at_ms is None or call.ended_at_ms is None:
        return tr("{name} has called, and nobody answered.", name=name)
    minutes = max(1, round((call.ended_at_ms - call.answered_at_ms) / 60_000))
    lasted = trn("{n} minute", "{n} minutes", minutes)
    return tr("{name} has called; it lasted {time}.", name=name, time=lasted)
