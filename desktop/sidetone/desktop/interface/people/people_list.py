"""The left column of an account's home: friends, and with whom one talks."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.people import (
    channel_of,
    conversations,
    others_in,
    requests_waiting,
)
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.channel_list import WIDTH
from sidetone.desktop.interface.people import faces
from sidetone.desktop.interface.people.account_menu import AccountMenu
from sidetone.desktop.interface.people.group_dialogs import open_group_dialog
from sidetone.desktop.interface.people.group_menu import conversation_menu
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, ServerId


@ft.component
def PeopleList(view: View) -> ft.Control:
    """List the conversations of the account that is open, the ones that wait first."""
    view.watch(Topic("place"), Topic("people"), Topic("unread"), Topic("servers"))
    account = view.account
    if account is None:
        return ft.Container(width=WIDTH, bgcolor=theme.SIDE)
    listed = [ServerId(each.server.id) for each in conversations(account.knowledge)]
    rows: list[ft.Control] = [
        hooks.keyed(str(server), ConversationRow, view, account, server) for server in listed
    ]
    if not rows:
        rows = [
            ft.Container(
                kit.text(
                    tr("Nobody to talk with yet: open a conversation from the list of friends."),
                    "small",
                    theme.FAINT,
                ),
                padding=ft.Padding.symmetric(horizontal=16, vertical=6),
            )
        ]
    new = kit.icon_button(
        "new-group",
        ft.Icons.GROUP_ADD,
        tr("New group"),
        lambda: open_group_dialog(view, account),
    )
    return ft.Container(
        ft.Column(
            [
                AccountMenu(view),
                _friends(view, account),
                kit.section(tr("Conversations"), new),
                ft.ListView(rows, expand=True, spacing=1),
            ],
            spacing=2,
        ),
        width=WIDTH,
        bgcolor=theme.SIDE,
    )


def _friends(view: View, account: Account) -> ft.Control:
    here = view.place.channel is None
    waiting = requests_waiting(account.knowledge)
    content = ft.Row(
        [
            ft.Icon(ft.Icons.PEOPLE, size=20, color=theme.TEXT if here else theme.QUIET),
            kit.line(tr("Friends"), "name", expand=True),
            *([kit.badge(waiting)] if waiting else []),
        ],
        spacing=10,
    )
    label = tr("Friends, {n} requests", n=waiting) if waiting else tr("Friends")
    return kit.row(
        "friends",
        label,
        content,
        lambda: view.go(screen="friends", server=None, channel=None),
        chosen=here,
        margin=ft.Margin.only(left=8, right=8, top=6),
    )


@ft.component
def ConversationRow(view: View, account: Account, server: ServerId) -> ft.Control:
    """Draw one conversation: who, and whether something waits."""
    conversation = account.knowledge.communities.get(server)
    others = others_in(account.knowledge, conversation) if conversation is not None else []
    one = others[0] if others and conversation and conversation.server.kind == "direct" else None
    view.watch(Topic("server", server), Topic("user", one))
    if conversation is None:
        return ft.Container(visible=False)
    account.want_names(*others)
    read = account.knowledge.reads.get(ChannelId(channel_of(conversation).id))
    unread = read.unread if read is not None else 0
    title = faces.conversation_title(account, server)
    here = view.place.server == server
    face = faces.face(view, account, one) if one is not None else faces.group_face()
    lines = ft.Column(
        [
            kit.line(
                title,
                "name" if unread or here else "body",
                theme.TEXT if unread or here else theme.QUIET,
            ),
            kit.line(faces.conversation_words(account, server), "small", theme.FAINT),
        ],
        spacing=0,
        expand=True,
    )
    content = ft.Row([face, lines, *([kit.badge(unread)] if unread else [])], spacing=10)
    label = tr("{name}, {n} unread", name=title, n=unread) if unread else title
    row = kit.row(
        f"conversation-{title}",
        label,
        content,
        lambda: faces.show_conversation(view, account, server),
        chosen=here,
    )

    def offer(event: ft.TapEvent[ft.GestureDetector]) -> None:
        items = conversation_menu(view, account, server)
        view.menu(event.global_position or ft.Offset(0, 0), items)

    return ft.GestureDetector(row, on_secondary_tap_down=offer)
