"""What was done in a server, in sentences, and whether anybody altered the log."""

from typing import Final
from uuid import UUID

import flet as ft

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.audit_words import Difference, differences, sentence, target_name
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.forms import Paged, empty
from sidetone.desktop.interface.later import Later
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.turns import slices
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import AuditEntry

_GAP: Final = 6
# Entries that are drawn in one turn, and how high one is about.
_AT_ONCE: Final = 4
_HEIGHT: Final = 64


@ft.component
def AuditPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """List the entries, newest first."""
    moderation = account.client.api.moderation
    checked, set_checked = hooks.state("")
    whole, set_whole = hooks.state(True)
    paged: Paged[AuditEntry] = Paged(view, lambda cursor: moderation.audit_log(server, cursor))
    account.want_names(*(each.actor for each in paged.items))

    async def check() -> None:
        broken = (await moderation.check_audit_log(server)).broken_at
        set_whole(broken is None)
        set_checked(
            tr("Every entry is as it was written.")
            if broken is None
            else tr("The log was altered: entry {number} is not as it was written.", number=broken)
        )

    result: list[ft.Control] = []
    if checked:
        words = kit.text(checked, "small", theme.GOOD if whole else theme.BAD)
        result = [kit.semantics("audit-checked", words, checked, live_region=True)]
    rows: list[ft.Control] = [
        hooks.keyed(
            str(part[0].number),
            Later,
            view,
            _HEIGHT * len(part),
            _ROWS,
            view,
            account,
            server,
            part,
        )
        for part in slices(paged.items, _AT_ONCE)
    ]
    if paged.loaded and not rows:
        rows = [empty("audit-none", ft.Icons.HISTORY, tr("Nothing was changed here yet."))]
    return page(
        tr("Audit log"),
        ft.Row(
            [
                kit.button("audit-check", tr("Check the log"), view.act(check)),
                kit.button("audit-again", tr("Read again"), view.act(paged.again), kind="quiet"),
                *result,
            ],
            spacing=12,
        ),
        ft.Column([*rows, *paged.foot()], spacing=_GAP, tight=True),
    )


@ft.component
def AuditRows(
    view: View, account: Account, server: ServerId, entries: tuple[AuditEntry, ...]
) -> ft.Control:
    """Draw a few entries."""
    rows = [
        hooks.keyed(str(each.number), AuditRow, view, account, server, each) for each in entries
    ]
    return ft.Column(rows, spacing=_GAP, tight=True)


_ROWS = hooks.memo(AuditRows)


@ft.component
def AuditRow(view: View, account: Account, server: ServerId, entry: AuditEntry) -> ft.Control:
    """Draw one entry; a click unfolds what is different since."""
    view.watch(Topic("user", entry.actor), Topic("user", entry.target))
    unfolded, set_unfolded = hooks.state(False)
    community = account.knowledge.communities[server]
    actor = names.name_of(account.knowledge, entry.actor, community)
    target = target_name(entry, lambda each: _known(account, community, each))
    told = sentence(entry, actor, target)
    found = differences(entry)
    lines: list[ft.Control] = [kit.text(told, "name")]
    when = times.moment(entry.at_ms)
    lines.append(
        kit.text(f"{when} · {entry.reason}" if entry.reason else when, "small", theme.QUIET)
    )
    if unfolded:
        lines += [_difference(each) for each in found]
    arrow = ft.Icons.EXPAND_LESS if unfolded else ft.Icons.EXPAND_MORE
    parts: list[ft.Control] = [ft.Column(lines, spacing=2, tight=True, expand=True)]
    if found:
        parts.append(ft.Icon(arrow, size=18, color=theme.FAINT))
    return kit.row(
        f"audit-{entry.number}",
        told,
        ft.Row(parts),
        (lambda: set_unfolded(not unfolded)) if found else None,
        margin=0,
        padding=12,
    )


def _difference(each: Difference) -> ft.Control:
    return ft.Row(
        [
            ft.Container(kit.text(each.what, "small", theme.FAINT), width=150),
            kit.text(each.before, "small", theme.QUIET, width=220),
            ft.Icon(ft.Icons.ARROW_FORWARD, size=12, color=theme.FAINT),
            kit.text(each.after, "small", expand=True),
        ],
        spacing=8,
        vertical_alignment=ft.CrossAxisAlignment.START,
    )


def _known(account: Account, community: Community, entry: AuditEntry) -> str | None:
    """Return what the target is called now, if it is still there."""
    target = entry.target
    if target is None:
        return None
    if entry.action.startswith("member."):
        account.want_names(UserId(target))
        return names.name_of(account.knowledge, UserId(target), community)
    return _thing(community, target)


def _thing(community: Community, target: UUID) -> str | None:
    pieces = (community.channels, community.roles, community.emoji)
    found = next((piece[target] for piece in pieces if target in piece), None)
    return found.name if found is not None else None
