"""Above the composer: which message is being answered."""

import flet as ft

from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.quoted import words_of
from sidetone.protocol.ids import MessageId


@ft.component
def ReplyBar(pane: Pane, to: MessageId) -> ft.Control:
    """Draw whom and what one answers, and the way out."""
    message = pane.timeline.find(to)

    def cancel() -> None:
        pane.timeline.draft.reply_to = None
        pane.draw_composer()
        pane.focus_composer()

    author = message.author if message is not None else pane.account.id
    name = names.name_of(pane.account.knowledge, author, pane.community)
    title = tr("Answer to {name}", name=name)
    bar = ft.Row(
        [
            ft.Icon(ft.Icons.REPLY, size=16, color=theme.ACCENT),
            kit.line(title, "label"),
            kit.line(
                words_of(pane, message) if message is not None else "",
                "small",
                theme.QUIET,
                expand=True,
            ),
            kit.icon_button(
                "cancel-reply",
                ft.Icons.CLOSE,
                tr("Do not answer"),
                cancel,
                width=28,
                height=28,
                padding=0,
                icon_size=16,
            ),
        ],
        spacing=8,
    )
    return kit.semantics(
        "reply-bar",
        ft.Container(bar, padding=ft.Padding.only(left=12, right=4)),
        title,
    )
