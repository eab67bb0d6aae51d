"""Under a message at which a thread hangs: its name, and the way into it."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.protocol.ids import ChannelId


@ft.component
def ThreadLink(pane: Pane, thread: ChannelId) -> ft.Control:
    """Draw it; a thread that was put away has no name here."""
    pane.view.watch(pane.home, Topic("unread", pane.home.of))
    known = pane.account.knowledge.channel(thread)
    name = known.name if known is not None else tr("Thread")
    read = pane.account.knowledge.reads.get(thread)
    unread = read is not None and read.unread > 0
    link = ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.FORUM_OUTLINED, size=16, color=theme.ACCENT),
                kit.line(name, "name" if unread else "body", theme.ACCENT),
            ],
            tight=True,
            spacing=8,
        ),
        bgcolor=theme.RAISED,
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=10, vertical=5),
        ink=True,
        on_click=lambda: pane.view.go(thread=thread),
    )
    label = tr("Open the thread {name}", name=name)
    return ft.Row([kit.semantics(f"thread-{name}", link, label, button=True)])
