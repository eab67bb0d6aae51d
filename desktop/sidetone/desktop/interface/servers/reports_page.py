"""What members told the moderators, and closing it with what was done."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.read_history import jump_to
from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.forms import (
    Doing,
    Paged,
    UserName,
    Work,
    cancel,
    card,
    dialog_body,
    empty,
    show_dialog,
)
from sidetone.desktop.interface.servers.member_menu import member_menu
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Report


@ft.component
def ReportsPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """List them, those that are open first."""
    moderation = account.client.api.moderation
    paged: Paged[Report] = Paged(view, lambda cursor: moderation.reports(server, cursor))
    account.want_names(
        *(each.reporter for each in paged.items), *(each.target for each in paged.items)
    )
    listed = sorted(paged.items, key=lambda each: each.resolved_by is not None)
    rows: list[ft.Control] = [_card(view, account, each, paged.again) for each in listed]
    if paged.loaded and not rows:
        words = tr("No reports. What members tell about others comes here.")
        rows = [empty("reports-none", ft.Icons.FLAG_OUTLINED, words)]
    return page(tr("Reports"), ft.Column([*rows, *paged.foot()], spacing=6, tight=True))


def _card(view: View, account: Account, report: Report, again: Work) -> ft.Control:
    server = ServerId(report.server)
    community = account.knowledge.communities.get(server)
    reporter = names.name_of(account.knowledge, report.reporter, community)
    when = times.moment(report.reported_at_ms)
    words = tr("reported by {name}, {time}", name=reporter, time=when)
    who = hooks.keyed("who", UserName, view, account, server, report.target, words)
    lines: list[ft.Control] = [who, kit.text(report.text, selectable=True)]
    actions: list[ft.Control] = []
    if report.channel is not None and report.message is not None:
        actions.append(
            kit.button(
                "report-show",
                tr("Show the message"),
                lambda: _show(view, account, report),
                kind="quiet",
            )
        )
    if report.resolved_by is not None:
        closed = tr("Closed: {resolution}", resolution=report.resolution)
        lines.append(kit.text(closed, "small", theme.GOOD))
    else:
        actions.append(
            kit.button(
                "report-resolve",
                tr("Close"),
                lambda: show_dialog(
                    view, hooks.keyed("resolve", Resolve, view, account, report, again)
                ),
            )
        )
        items = member_menu(view, account, server, report.target)
        if items:
            actions.append(kit.more("report-act", tr("Act on them"), items))
    lines.append(ft.Row(actions, spacing=8))
    return card(f"report-{report.id}", ft.Column(lines, spacing=8, tight=True), report.text)


def _show(view: View, account: Account, report: Report) -> None:
    """Go to the message that a report is about."""
    if report.channel is not None and report.message is not None:
        view.go(
            screen="server",
            section="",
            channel=report.channel,
            thread=None,
            message=report.message,
        )
        view.start(jump_to(account, report.channel, report.message))


@ft.component
def Resolve(view: View, account: Account, report: Report, again: Work) -> ft.Control:
    """Ask what was done about it."""
    text = hooks.entry("")
    doing = Doing()

    async def resolve() -> None:
        moderation = account.client.api.moderation
        await moderation.resolve(ServerId(report.server), report.id, text.value)
        view.close()
        await again()

    async def finish() -> None:
        await doing.run(resolve)

    return dialog_body(
        "resolve-dialog",
        tr("Close the report"),
        [
            kit.field(
                "resolution",
                tr("What was done about it"),
                text.value,
                text.set,
                max_length=512,
                autofocus=True,
                on_submit=finish,
            ),
            *doing.shown("resolve-problem"),
        ],
        [cancel(view), kit.button("resolve-yes", tr("Close the report"), finish)],
    )
