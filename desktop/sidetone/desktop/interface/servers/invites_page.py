"""The invites of a server that work, and making and revoking them."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.invite_link import link_of
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.forms import Paged, UserName, card, empty
from sidetone.desktop.interface.servers.invite_dialog import copy, open_invite
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Invite


@ft.component
def InvitesPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """List them, newest first."""
    servers = account.client.api.servers
    paged: Paged[Invite] = Paged(view, lambda cursor: servers.invites(server, cursor))

    async def revoke(invite: Invite) -> None:
        await servers.revoke_invite(invite.code)
        await paged.again()

    def create() -> None:
        open_invite(view, account, server, lambda: view.start(paged.again()))

    rows = [_card(view, account, server, each, view.act(revoke, each)) for each in paged.items]
    if paged.loaded and not rows:
        words = tr("No invite works now. Make one and hand it to those who shall come.")
        rows = [empty("invites-none", ft.Icons.LINK, words)]
    return page(
        tr("Invites"),
        ft.Row([kit.button("invite-create", tr("Make an invite"), create)]),
        ft.Column([*rows, *paged.foot()], spacing=6, tight=True),
    )


def _card(
    view: View, account: Account, server: ServerId, invite: Invite, on_revoke: kit.Handler
) -> ft.Control:
    uses = (
        trn("{n} use left", "{n} uses left", invite.uses_left)
        if invite.uses_left is not None
        else tr("any number of uses")
    )
    ends = (
        tr("until {time}", time=times.moment(invite.expires_at_ms))
        if invite.expires_at_ms is not None
        else tr("for ever")
    )
    words = f"{uses} · {ends}"
    lines: list[ft.Control] = [
        kit.text(invite.code, "name", selectable=True),
        kit.text(words, "small", theme.QUIET),
    ]
    parts: list[ft.Control] = [ft.Column(lines, spacing=0, tight=True, expand=True)]
    if invite.creator is not None:
        who = hooks.keyed("who", UserName, view, account, server, invite.creator)
        parts.append(ft.Container(who, width=180))
    link = link_of(account.address, invite.code)
    return card(
        f"invite-{invite.code}",
        ft.Row(parts, spacing=12),
        words,
        kit.icon_button(
            f"invite-copy-{invite.code}",
            ft.Icons.CONTENT_COPY,
            tr("Copy the link"),
            view.act(copy, view, link),
        ),
        kit.icon_button(
            f"invite-revoke-{invite.code}",
            ft.Icons.DELETE_OUTLINE,
            tr("Revoke"),
            on_revoke,
            color=theme.BAD,
        ),
    )
