"""Make an invite and hand it round."""

from collections.abc import Callable
from typing import Final

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.invite_link import link_of
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
from sidetone.protocol.ids import ServerId

_HOUR: Final = 3_600
_LIFETIMES: Final = (_HOUR // 2, _HOUR, 12 * _HOUR, 24 * _HOUR, 168 * _HOUR, 0)
_USES: Final = (1, 5, 10, 50, 100, 0)


def open_invite(
    view: View, account: Account, server: ServerId, made: Callable[[], object] = lambda: None
) -> None:
    """Offer to make an invite to *server*; *made* hears when there is one."""
    show_dialog(view, hooks.keyed("invite", InviteDialog, view, account, server, made))


def lifetime_words(seconds: int) -> str:
    """Return how long *seconds* are; 0 is for ever."""
    if not seconds:
        return tr("For ever")
    if seconds < _HOUR:
        return trn("{n} minute", "{n} minutes", seconds // 60)
    hours = seconds // _HOUR
    if hours < 24:
        return trn("{n} hour", "{n} hours", hours)
    return trn("{n} day", "{n} days", hours // 24)


def uses_words(uses: int) -> str:
    """Return how often an invite works; 0 is without a limit."""
    return trn("{n} use", "{n} uses", uses) if uses else tr("No limit")


async def copy(view: View, text: str) -> None:
    """Put *text* on the clipboard and say so."""
    await ft.Clipboard().set(text)
    view.notice(tr("Copied."))


@ft.component
def InviteDialog(
    view: View, account: Account, server: ServerId, made: Callable[[], object]
) -> ft.Control:
    """Ask how long and how often it shall work, and show the link."""
    lifetime, set_lifetime = hooks.state(str(168 * _HOUR))
    uses, set_uses = hooks.state("0")
    link, set_link = hooks.state("")
    doing = Doing()

    async def make() -> None:
        invite = await account.client.api.servers.invite(
            server, uses_max=int(uses) or None, lifetime_seconds=int(lifetime) or None
        )
        set_link(link_of(account.address, invite.code))
        made()

    async def finish() -> None:
        await doing.run(make)

    content: list[ft.Control] = [
        choice(
            "invite-lifetime",
            tr("Works for"),
            lifetime,
            [(str(each), lifetime_words(each)) for each in _LIFETIMES],
            set_lifetime,
        ),
        choice(
            "invite-uses",
            tr("How often"),
            uses,
            [(str(each), uses_words(each)) for each in _USES],
            set_uses,
        ),
    ]
    actions = [cancel(view), kit.button("invite-make", tr("Make a link"), finish)]
    if link:
        content.append(_link(link))
        actions = [
            kit.button("dialog-cancel", tr("Close"), view.close, kind="quiet"),
            kit.button("invite-copy", tr("Copy"), view.act(copy, view, link)),
        ]
    name = account.knowledge.communities[server].server.name
    return dialog_body(
        "invite-dialog",
        tr("Invite people to {server}", server=name),
        [*content, *doing.shown("invite-problem")],
        actions,
    )


def _link(link: str) -> ft.Control:
    text = kit.text(link, "small", selectable=True)
    return kit.semantics(
        "invite-link",
        ft.Container(text, bgcolor=theme.SIDE, border_radius=8, padding=12),
        link,
        exclude_semantics=True,
    )
