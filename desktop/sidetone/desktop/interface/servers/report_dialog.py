"""Tell the moderators of a server about somebody."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing, cancel, dialog_body, show_dialog
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.messages import Message


def open_report(
    view: View,
    account: Account,
    server: ServerId,
    user: UserId,
    message: Message | None = None,
) -> None:
    """Ask what to tell about *user*, or about one *message* of theirs."""
    content = hooks.keyed("report", ReportDialog, view, account, server, user, message)
    show_dialog(view, content)


@ft.component
def ReportDialog(
    view: View, account: Account, server: ServerId, user: UserId, message: Message | None
) -> ft.Control:
    """Ask what happened."""
    text = hooks.entry("")
    doing = Doing()

    async def report() -> None:
        await account.client.api.moderation.report(
            server,
            user,
            text.value,
            channel=message.channel if message is not None else None,
            message=message.id if message is not None else None,
        )
        view.close()
        view.notice(tr("The moderators were told."))

    async def finish() -> None:
        await doing.run(report)

    name = names.name_of(account.knowledge, user, account.knowledge.communities.get(server))
    words = tr("Only the moderators of this server read it.")
    return dialog_body(
        "report-dialog",
        tr("Report {name}", name=name),
        [
            kit.text(words, color=theme.QUIET),
            kit.field(
                "report-text",
                tr("What happened?"),
                text.value,
                text.set,
                multiline=True,
                min_lines=3,
                max_lines=6,
                max_length=1_000,
                autofocus=True,
            ),
            *doing.shown("report-problem"),
        ],
        [cancel(view), kit.button("report-send", tr("Send"), finish, disabled=doing.busy)],
    )
