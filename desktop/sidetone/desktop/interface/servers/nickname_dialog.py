"""Choose what somebody is called in one server."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.moderate import name_member
from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit
from sidetone.desktop.interface.forms import Doing, cancel, dialog_body, show_dialog
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId


def open_nickname(view: View, account: Account, server: ServerId, user: UserId) -> None:
    """Ask what to call *user* in *server*."""
    show_dialog(view, hooks.keyed("nickname", Nickname, view, account, server, user))


@ft.component
def Nickname(view: View, account: Account, server: ServerId, user: UserId) -> ft.Control:
    """Ask for a name; none is the account's own."""
    member = account.knowledge.communities[server].members.get(user)
    before = (member.nickname or "") if member is not None else ""
    name = hooks.entry(before)
    doing = Doing()

    async def save() -> None:
        await name_member(account, server, user, name.value)
        view.close()

    async def finish() -> None:
        await doing.run(save)

    own = names.name_of(account.knowledge, user)
    return dialog_body(
        "nickname-dialog",
        tr("Nickname"),
        [
            kit.field(
                "nickname",
                tr("Name in this server"),
                name.value,
                name.set,
                hint_text=own,
                max_length=32,
                autofocus=True,
                on_submit=finish,
            ),
            *doing.shown("nickname-problem"),
        ],
        [cancel(view), kit.button("nickname-save", tr("Save"), finish, disabled=doing.busy)],
    )
