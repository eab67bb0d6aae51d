"""Who may not come back to a server, why, and letting them."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.forms import Paged, UserName, card, empty
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Ban


@ft.component
def BansPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """List them."""
    moderation = account.client.api.moderation
    paged: Paged[Ban] = Paged(view, lambda cursor: moderation.bans(server, cursor))
    account.want_names(*(each.actor for each in paged.items))

    async def unban(ban: Ban) -> None:
        await moderation.unban(server, ban.user)
        await paged.again()

    rows = [_card(view, account, server, each, view.act(unban, each)) for each in paged.items]
    if paged.loaded and not rows:
        rows = [empty("bans-none", ft.Icons.SENTIMENT_SATISFIED, tr("Nobody is banned."))]
    return page(tr("Bans"), ft.Column([*rows, *paged.foot()], spacing=6, tight=True))


def _card(
    view: View, account: Account, server: ServerId, ban: Ban, on_unban: kit.Handler
) -> ft.Control:
    name = names.name_of(account.knowledge, ban.user)
    actor = names.name_of(account.knowledge, ban.actor)
    when = tr("by {name}, {time}", name=actor, time=times.moment(ban.banned_at_ms))
    words = f"{ban.reason} · {when}" if ban.reason else when
    who = hooks.keyed("who", UserName, view, account, server, ban.user, words)
    lift = kit.button(f"unban-{name}", tr("Lift the ban"), on_unban, kind="quiet")
    return card(f"ban-{name}", who, name, lift)
