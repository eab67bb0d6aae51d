"""A thread beside the channel that it hangs in."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.threads import archive_thread
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.dialogs import ask_new_name
from sidetone.desktop.interface.chat.messages import Messages
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId

WIDTH = 440


@ft.component
def ThreadColumn(view: View, account: Account, thread: ChannelId) -> ft.Control:
    """Draw its messages, and what can be done with the thread as a whole."""
    pane, _ = hooks.state(Pane(view, account, thread))
    message = view.place.message

    def follow() -> None:
        if message is not None:
            pane.jump(message)

    ft.use_effect(follow, [message])
    return ft.Container(
        ft.Column([ThreadHeader(pane), Messages(pane)], spacing=0, expand=True),
        width=WIDTH,
        bgcolor=theme.GROUND,
        border=ft.Border.only(left=ft.BorderSide(1, theme.LINE)),
    )


@ft.component
def ThreadHeader(pane: Pane) -> ft.Control:
    """Draw the name of the thread, with the doors out."""
    pane.view.watch(pane.home)
    known = pane.known
    name = known.name if known is not None else tr("Thread")
    tools: list[ft.Control] = []
    own = known is not None and known.creator == pane.account.id
    if known is not None and (own or pane.may(Permission.MANAGE_THREADS)):
        tools += [
            kit.icon_button(
                "rename-thread",
                ft.Icons.EDIT_OUTLINED,
                tr("Rename the thread"),
                lambda: ask_new_name(pane, pane.channel, name),
            ),
            kit.icon_button(
                "archive-thread",
                ft.Icons.ARCHIVE_OUTLINED,
                tr("Put the thread away"),
                lambda: pane.start(_put_away(pane)),
            ),
        ]
    return ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.FORUM_OUTLINED, color=theme.FAINT, size=20),
                kit.line(name, "heading", expand=True),
                *tools,
                kit.icon_button(
                    "close-thread",
                    ft.Icons.CLOSE,
                    tr("Close"),
                    lambda: pane.view.go(thread=None, message=None),
                ),
            ],
            spacing=4,
        ),
        height=52,
        padding=ft.Padding.only(left=16, right=8),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
    )


async def _put_away(pane: Pane) -> None:
    await archive_thread(pane.account, pane.channel, archived=True)
    pane.view.go(thread=None, message=None)
