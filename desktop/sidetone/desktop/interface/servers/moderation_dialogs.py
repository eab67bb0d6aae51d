"""Kick, ban and time out, each with a reason that the audit log keeps."""

from typing import Final

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.moderate import DAY, HOUR, LONGEST, MINUTE, time_out
from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import (
    Doing,
    cancel,
    choice,
    dialog_body,
    show_dialog,
)
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId

REASON_LENGTH_MAX: Final = 512
_TIMEOUTS: Final = (MINUTE, 5 * MINUTE, 10 * MINUTE, HOUR, DAY, 7 * DAY, LONGEST)
_DELETIONS: Final = (0, 3_600, 86_400, 7 * 86_400)


def open_kick(view: View, account: Account, server: ServerId, user: UserId) -> None:
    """Ask why *user* shall go."""
    show_dialog(view, hooks.keyed("kick", Kick, view, account, server, user))


def open_ban(view: View, account: Account, server: ServerId, user: UserId) -> None:
    """Ask why *user* shall go for good, and what of theirs shall go with them."""
    show_dialog(view, hooks.keyed("ban", BanDialog, view, account, server, user))


def open_timeout(view: View, account: Account, server: ServerId, user: UserId) -> None:
    """Ask for how long *user* shall be silent."""
    show_dialog(view, hooks.keyed("timeout", Timeout, view, account, server, user))


def lasting(ms: int) -> str:
    """Return how long a timeout lasts."""
    if ms < HOUR:
        return trn("{n} minute", "{n} minutes", ms // MINUTE)
    if ms < DAY:
        return trn("{n} hour", "{n} hours", ms // HOUR)
    return trn("{n} day", "{n} days", round(ms / DAY))


@ft.component
def Kick(view: View, account: Account, server: ServerId, user: UserId) -> ft.Control:
    """Take somebody out who may come back."""
    reason = hooks.entry("")
    doing = Doing()

    async def kick() -> None:
        await account.client.api.members.remove(server, user, reason=reason.value)
        view.close()

    async def finish() -> None:
        await doing.run(kick)

    return dialog_body(
        "kick-dialog",
        tr("Kick {name}?", name=_name(account, server, user)),
        [
            kit.text(tr("With an invite they can come back."), color=theme.QUIET),
            _reason(reason.value, reason.set),
            *doing.shown("kick-problem"),
        ],
        [cancel(view), kit.button("kick-yes", tr("Kick"), finish, kind="danger")],
    )


@ft.component
def BanDialog(view: View, account: Account, server: ServerId, user: UserId) -> ft.Control:
    """Take somebody out for good."""
    reason = hooks.entry("")
    seconds, set_seconds = hooks.state("0")
    doing = Doing()

    async def ban() -> None:
        await account.client.api.moderation.ban(
            server, user, reason=reason.value, delete_messages_seconds=int(seconds)
        )
        view.close()

    async def finish() -> None:
        await doing.run(ban)

    options = [(str(each), _deletion(each)) for each in _DELETIONS]
    return dialog_body(
        "ban-dialog",
        tr("Ban {name}?", name=_name(account, server, user)),
        [
            kit.text(tr("No invite lets them in until the ban is lifted."), color=theme.QUIET),
            choice("ban-delete", tr("Delete their messages"), seconds, options, set_seconds),
            _reason(reason.value, reason.set),
            *doing.shown("ban-problem"),
        ],
        [cancel(view), kit.button("ban-yes", tr("Ban"), finish, kind="danger")],
    )


@ft.component
def Timeout(view: View, account: Account, server: ServerId, user: UserId) -> ft.Control:
    """Let somebody neither write nor talk for a while."""
    reason = hooks.entry("")
    lasts, set_lasts = hooks.state(str(10 * MINUTE))
    doing = Doing()

    async def silence() -> None:
        await time_out(account, server, user, int(lasts), reason.value)
        view.close()

    async def finish() -> None:
        await doing.run(silence)

    options = [(str(each), lasting(each)) for each in _TIMEOUTS]
    words = tr("They go on reading, and can neither write nor talk.")
    return dialog_body(
        "timeout-dialog",
        tr("Time {name} out?", name=_name(account, server, user)),
        [
            kit.text(words, color=theme.QUIET),
            choice("timeout-lasts", tr("For"), lasts, options, set_lasts),
            _reason(reason.value, reason.set),
            *doing.shown("timeout-problem"),
        ],
        [cancel(view), kit.button("timeout-yes", tr("Time out"), finish, kind="danger")],
    )


def _reason(reason: str, set_reason: kit.Handler) -> ft.Control:
    label = tr("Reason, for the audit log")
    return kit.field("reason", label, reason, set_reason, max_length=REASON_LENGTH_MAX)


def _name(account: Account, server: ServerId, user: UserId) -> str:
    community = account.knowledge.communities.get(server)
    return names.name_of(account.knowledge, user, community)


def _deletion(seconds: int) -> str:
    if not seconds:
        return tr("None")
    hours = seconds // 3_600
    if hours < 24:
        return trn("Of the last hour", "Of the last {n} hours", hours)
    return trn("Of the last day", "Of the last {n} days", hours // 24)
