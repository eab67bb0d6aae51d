"""What only the owner can do: hand the server over, and delete it."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import (
    Doing,
    MemberPicker,
    ask,
    cancel,
    dialog_body,
    show_dialog,
)
from sidetone.desktop.interface.settings.parts import group, page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId


@ft.component
def OwnerPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """Offer both."""
    community = account.knowledge.communities[server]

    def hand_over(user: UserId) -> None:
        name = names.name_of(account.knowledge, user, community)

        async def transfer() -> None:
            await account.client.api.servers.transfer(server, user)

        ask(
            view,
            tr("Make {name} the owner?", name=name),
            tr("You stay a member, and only they can give it back."),
            tr("Hand over"),
            transfer,
        )

    def delete() -> None:
        show_dialog(view, hooks.keyed("delete-server", DeleteServer, view, account, server))

    words = tr("All channels, messages and roles go with it. This cannot be undone.")
    return page(
        tr("Owner"),
        group(
            tr("Hand the server over"),
            hooks.keyed(
                "new-owner",
                MemberPicker,
                view,
                account,
                server,
                tr("Find the new owner"),
                hand_over,
            ),
        ),
        group(
            tr("Delete the server"),
            kit.text(words, color=theme.QUIET),
            ft.Row([kit.button("server-delete", tr("Delete server"), delete, kind="danger")]),
        ),
    )


@ft.component
def DeleteServer(view: View, account: Account, server: ServerId) -> ft.Control:
    """Delete the server once its name was typed."""
    community = account.knowledge.communities.get(server)
    name = community.server.name if community is not None else ""
    typed = hooks.entry("")
    doing = Doing()

    async def delete() -> None:
        await account.client.api.servers.delete(server)
        view.close()
        view.go(screen="friends", server=None, channel=None, section="")

    async def finish() -> None:
        await doing.run(delete)

    return dialog_body(
        "delete-server",
        tr("Delete {server}?", server=name),
        [
            kit.text(tr("Type the name of the server: {name}", name=name), color=theme.QUIET),
            kit.field("delete-name", tr("Name"), typed.value, typed.set, autofocus=True),
            *doing.shown("delete-problem"),
        ],
        [
            cancel(view),
            kit.button(
                "delete-yes",
                tr("Delete for ever"),
                finish,
                kind="danger",
                disabled=typed.value != name or doing.busy,
            ),
        ],
    )
