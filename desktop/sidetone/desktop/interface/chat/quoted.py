"""The line above an answer: what it answers, and the way there."""

import flet as ft

from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.written import plain
from sidetone.protocol.ids import MessageId
from sidetone.protocol.messages import Message
from sidetone.protocol.refusals import NotFound

_LENGTH_MAX = 160


@ft.component
def Quoted(pane: Pane, of: MessageId) -> ft.Control:
    """Draw who said what in one faint line."""
    found, set_found = hooks.state(pane.timeline.find(of) or pane.quotes.get(of))
    gone, set_gone = hooks.state(initial=False)
    pane.view.watch(Topic("user", found.author if found is not None else None))

    async def look() -> None:
        try:
            message = await pane.account.client.api.messages.read(pane.channel, of)
        except NotFound:
            set_gone(True)
            return
        pane.quotes[of] = message
        pane.account.want_names(message.author)
        set_found(message)

    def begin() -> None:
        if found is None:
            pane.start(look())

    ft.use_effect(begin, [])
    if found is None:
        return _line(pane, of, "", tr("This message was deleted.") if gone else "…")
    name = names.author_of(pane.account.knowledge, found, pane.community)
    return _line(pane, of, name, words_of(pane, found))


def words_of(pane: Pane, message: Message) -> str:
    """Return what stands for a message in one line."""
    words = plain(pane.account, pane.community, message.text)[:_LENGTH_MAX]
    if words:
        return words
    return message.attachments[0].name if message.attachments else "…"


def _line(pane: Pane, of: MessageId, name: str, words: str) -> ft.Control:
    row = ft.Row(
        [
            ft.Container(
                width=18,
                height=9,
                margin=ft.Margin.only(left=17, top=8),
                border=ft.Border(
                    left=ft.BorderSide(2, theme.LINE), top=ft.BorderSide(2, theme.LINE)
                ),
            ),
            kit.line(name, "label", theme.QUIET),
            kit.line(words, "small", theme.QUIET, expand=True),
        ],
        spacing=8,
    )
    return kit.semantics(
        f"quoted-{of}",
        ft.Container(row, on_click=lambda: pane.jump(of), padding=ft.Padding.only(bottom=1)),
        tr("Answer to {name}: {words}", name=name, words=words),
        button=True,
    )
