"""A message of ours that is not with the server yet."""

import flet as ft

from sidetone.desktop.application.send_message import withdraw
from sidetone.desktop.domain import names
from sidetone.desktop.domain.timeline import Pending
from sidetone.desktop.domain.wording import told, tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.written import Written
from sidetone.desktop.interface.forms import UserFace

_GUTTER = 36


@ft.component
def PendingRow(pane: Pane, pending: Pending) -> ft.Control:
    """Draw it as it will be, fainter; when it was refused, why and what can be done."""
    parts: list[ft.Control] = []
    head = _begins_group(pane, pending)
    me = pane.account.id
    name = names.name_of(pane.account.knowledge, me, pane.community)
    if head:
        color = pane.view.name_color(pane.community, me)
        time = kit.text(times.clock(pending.written_at_ms), "section", theme.FAINT)
        parts.append(ft.Row([kit.line(name, "name", color), time], spacing=8))
    if pending.text:
        parts.append(
            hooks.keyed("text", Written, pane.view, pane.account, pane.community, pending.text)
        )
    parts += [kit.text(file.name, color=theme.QUIET) for file in pending.files]
    if pending.problem:
        parts.append(_refused(pane, pending))
    elif pane.account.connection != "online":
        waits = tr("Waits for the connection")
        parts.append(
            kit.semantics(f"waits-{pending.nonce}", kit.text(waits, "section", theme.FAINT), waits)
        )
    face = (
        UserFace(pane.view, pane.account, me, _GUTTER / 2, None)
        if head
        else ft.Container(width=_GUTTER)
    )
    row = ft.Row(
        [face, ft.Column(parts, spacing=3, expand=True)],
        spacing=14,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )
    return kit.semantics(
        f"pending-{pending.nonce}",
        ft.Container(
            row,
            padding=ft.Padding.only(left=18, right=24, top=8 if head else 2, bottom=2),
            opacity=1 if pending.problem else 0.6,
        ),
    )


def _begins_group(pane: Pane, pending: Pending) -> bool:
    timeline = pane.timeline
    if timeline.pending and timeline.pending[0] is not pending:
        return False
    last = timeline.messages[-1] if timeline.messages else None
    return last is None or last.author != pane.account.id or last.kind != "text"


def _refused(pane: Pane, pending: Pending) -> ft.Control:
    again = pane.view.act(pane.account.outbox.try_again, pending.nonce)
    forget = pane.view.act(withdraw, pane.account, pane.channel, pending.nonce)
    why = tr("Not sent: {reason}", reason=told(pending.problem))
    return ft.Row(
        [
            ft.Icon(ft.Icons.ERROR_OUTLINE, size=16, color=theme.BAD),
            kit.semantics("refused", kit.text(why, "small", theme.BAD), why),
            kit.button("send-again", tr("Send again"), again, kind="quiet"),
            kit.button("forget-message", tr("Delete"), forget, kind="quiet"),
        ],
        wrap=True,
        spacing=8,
    )
