"""What can be done with a conversation."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.converse import leave
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit
from sidetone.desktop.interface.forms import ask
from sidetone.desktop.interface.people.group_dialogs import open_bring_in, open_rename
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId


def conversation_menu(view: View, account: Account, server: ServerId) -> list[ft.PopupMenuItem]:
    """Return what is offered about a conversation; one of two cannot be left."""
    conversation = account.knowledge.communities.get(server)
    if conversation is None or conversation.server.kind != "group":
        return [
            kit.menu_item(
                "group-from",
                tr("New group"),
                ft.Icons.GROUP_ADD,
                lambda: open_bring_in(view, account, server),
            )
        ]

    async def go() -> None:
        await leave(account, server)
        if view.place.server == server:
            view.go(server=None, channel=None)

    return [
        kit.menu_item(
            "group-rename",
            tr("Rename the group"),
            ft.Icons.EDIT,
            lambda: open_rename(view, account, server),
        ),
        kit.menu_item(
            "group-add",
            tr("Bring in friends"),
            ft.Icons.PERSON_ADD,
            lambda: open_bring_in(view, account, server),
        ),
        kit.menu_line(),
        kit.menu_item(
            "group-leave",
            tr("Leave the group"),
            ft.Icons.LOGOUT,
            lambda: ask(
                view,
                tr("Leave the group?"),
                tr("You read it no more, until somebody brings you in again."),
                tr("Leave"),
                go,
            ),
            danger=True,
        ),
    ]
