"""The messages of the channel that is open, and where one writes."""

from datetime import datetime

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.send_message import send_message
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, UserId

_ALIVE_MAX = 300


@ft.component
def ChatPane(view: View) -> ft.Control:
    """Draw the open channel."""
    channel = view.place.channel
    account = view.account
    if account is None or channel is None:
        return ft.Container(expand=True, bgcolor=theme.GROUND)
    known = account.knowledge.channel(channel)
    header = ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.TAG, color=theme.FAINT),
                kit.line(known.name if known else "", "heading"),
            ],
            spacing=8,
        ),
        height=52,
        padding=ft.Padding.symmetric(horizontal=16),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
    )
    return ft.Container(
        ft.Column(
            [header, MessageList(view, account, channel), Composer(view, account, channel)],
            spacing=0,
        ),
        expand=True,
        bgcolor=theme.GROUND,
    )


@ft.component
def MessageList(view: View, account: Account, channel: ChannelId) -> ft.Control:
    """Draw what is loaded, the newest at the bottom."""
    view.watch(Topic("messages", channel))
    timeline = account.knowledge.timeline(channel)
    rows: list[ft.Control] = [
        hooks.keyed(
            pending.nonce,
            MessageRow,
            view,
            account,
            pending.nonce,
            account.id,
            pending.text,
            pending.written_at_ms,
        )
        for pending in reversed(timeline.pending)
    ]
    rows += [
        hooks.keyed(
            m.nonce or str(m.id),
            MessageRow,
            view,
            account,
            str(m.id),
            m.author,
            m.text,
            m.id.int >> 80,
        )
        for m in reversed(timeline.messages[-_ALIVE_MAX:])
    ]
    return ft.ListView(rows, reverse=True, expand=True, padding=ft.Padding.symmetric(vertical=10))


@ft.component
def MessageRow(
    view: View, account: Account, id_: str, author: UserId, text: str, at_ms: int
) -> ft.Control:
    """Draw one message."""
    view.watch(Topic("user", author))
    name = names.name_of(account.knowledge, author)
    time = datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%H:%M")
    head = ft.Row([kit.text(name, "name"), kit.text(time, "section", theme.FAINT)], spacing=8)
    body = ft.Column([head, kit.text(text, selectable=True)], spacing=2, expand=True)
    face = kit.avatar(names.initials(name), names.avatar_color(author), 18)
    return kit.semantics(
        f"message-{id_}",
        ft.Container(
            ft.Row([face, body], spacing=14, vertical_alignment=ft.CrossAxisAlignment.START),
            padding=ft.Padding.symmetric(horizontal=18, vertical=4),
        ),
    )


@ft.component
def Composer(view: View, account: Account, channel: ChannelId) -> ft.Control:
    """Write here; Enter sends, Shift+Enter begins a new line."""
    text, set_text = hooks.state("")
    known = account.knowledge.channel(channel)

    def send() -> None:
        send_message(account, channel, text)
        set_text("")
        view.draw(Topic("messages", channel))

    hint = tr("Message #{channel}", channel=known.name if known else "")
    box = ft.TextField(
        value=text,
        on_change=lambda e: set_text(e.control.value),
        on_submit=send,
        hint_text=hint,
        color=theme.TEXT,
        border=ft.InputBorder.NONE,
        multiline=True,
        shift_enter=True,
        min_lines=1,
        max_lines=8,
        autofocus=True,
    )
    field = kit.semantics("composer", box, hint)
    field.expand = True
    bar = ft.Row(
        [field, kit.icon_button("send", ft.Icons.SEND, tr("Send"), send, color=theme.ACCENT)]
    )
    return ft.Container(
        ft.Container(
            bar,
            bgcolor=theme.RAISED,
            border_radius=12,
            padding=ft.Padding.symmetric(horizontal=12, vertical=2),
        ),
        padding=ft.Padding.only(left=18, right=18, bottom=14),
    )
