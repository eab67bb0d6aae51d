"""What panels beside the messages have in common."""

from collections.abc import Sequence

import flet as ft

from sidetone.desktop.domain import names
from sidetone.desktop.domain.rows import time_of
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.quoted import words_of
from sidetone.desktop.interface.chat.written import Written
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.messages import Message

WIDTH = 372


def side_panel(
    pane: Pane, identifier: str, title: str, *content: ft.Control, tools: Sequence[ft.Control] = ()
) -> ft.Control:
    """Return a panel with a title and the way out of it."""
    head = ft.Container(
        ft.Row(
            [
                kit.line(title, "heading", expand=True),
                *tools,
                kit.icon_button(
                    f"close-{identifier}",
                    ft.Icons.CLOSE,
                    tr("Close"),
                    lambda: pane.view.go(panel="members", thread=None),
                ),
            ]
        ),
        height=52,
        padding=ft.Padding.only(left=16, right=8),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
    )
    return kit.semantics(
        identifier,
        ft.Container(
            ft.Column([head, *content], spacing=0, expand=True),
            width=WIDTH,
            bgcolor=theme.SIDE,
            border=ft.Border.only(left=ft.BorderSide(1, theme.LINE)),
        ),
        title,
    )


def empty(words: str, icon: ft.IconData) -> ft.Control:
    """Return what stands where there is nothing yet: why, and what to do."""
    return ft.Container(
        ft.Column(
            [
                ft.Icon(icon, size=34, color=theme.FAINT),
                kit.text(words, color=theme.QUIET, text_align=ft.TextAlign.CENTER),
            ],
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
            alignment=ft.MainAxisAlignment.CENTER,
            spacing=12,
        ),
        expand=True,
        padding=ft.Padding.symmetric(horizontal=36),
    )


def waiting() -> ft.Control:
    """Return what stands where something is being read."""
    return ft.Container(
        ft.ProgressRing(width=22, height=22, stroke_width=2, color=theme.FAINT),
        padding=24,
        alignment=ft.Alignment.CENTER,
    )


@ft.component
def FoundMessage(pane: Pane, message: Message, *, with_channel: bool = False) -> ft.Control:
    """Draw a message of a list in short; a click leads to where it was written."""
    pane.view.watch(Topic("user", message.author), Topic("theme"))
    knowledge = pane.account.knowledge
    name = names.author_of(knowledge, message, pane.community)
    channel = knowledge.channel(message.channel)
    head: list[ft.Control] = [
        kit.line(name, "name", pane.view.name_color(pane.community, message.author)),
        kit.line(times.moment(time_of(message.id)), "section", theme.FAINT, expand=True),
    ]
    if with_channel and channel is not None:
        head.append(kit.line(f"#{channel.name}", "section", theme.FAINT))
    body: list[ft.Control] = [ft.Row(head, spacing=8)]
    if message.text:
        written = Written(pane.view, pane.account, pane.community, message.text)
        body.append(written)
    body += [kit.line(file.name, "small", theme.ACCENT) for file in message.attachments]
    card = ft.Container(
        ft.Column(body, spacing=4),
        bgcolor=theme.RAISED,
        border_radius=10,
        padding=ft.Padding.symmetric(horizontal=12, vertical=9),
        margin=ft.Margin.only(left=12, right=12, top=8),
        ink=True,
        on_click=lambda: go_to(pane, message),
    )
    return kit.semantics(
        f"found-{message.id}", card, f"{name}: {words_of(pane, message)}", button=True
    )


def go_to(pane: Pane, message: Message) -> None:
    """Show *message* in its context, in whichever channel or thread it is."""
    known = pane.account.knowledge.channel(message.channel)
    if known is not None and known.kind == "thread":
        parent = known.parent or pane.channel
        pane.view.go(channel=ChannelId(parent), thread=message.channel, message=message.id)
    elif message.channel == pane.channel:
        pane.jump(message.id)
    else:
        pane.view.go(channel=message.channel, thread=None, message=message.id)


def found_list(
    pane: Pane, messages: Sequence[Message], *, with_channel: bool = False
) -> list[ft.Control]:
    """Return *messages* in short."""
    return [
        hooks.keyed(str(each.id), FoundMessage, pane, each, with_channel=with_channel)
        for each in messages
    ]
