"""A server as one role sees it: which channels there are, and what one may do in them."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.channel_order import groups_of
from sidetone.desktop.domain.permission_words import abilities_of
from sidetone.desktop.domain.see_as_role import SeenAs
from sidetone.desktop.domain.standing import ranked
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import choice
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Channel


@ft.component
def SeeAsPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """Choose a role, and a channel to see what it may do there."""
    view.watch(Topic("server", server))
    community = account.knowledge.communities[server]
    roles = ranked(community)
    wanted, set_wanted = hooks.state(str(server))
    place, set_place = hooks.state("")
    role = next((each for each in roles if str(each.id) == wanted), roles[-1])
    seen = SeenAs(community, role.id)
    channels = seen.channels()
    chosen = next((each for each in channels if str(each.id) == place), None)
    may = seen.abilities(chosen.id if chosen is not None else None)
    rows: list[ft.Control] = [_row("", tr("The whole server"), set_place, chosen=chosen is None)]
    for group in groups_of(channels):
        listed: list[Channel] = [group.category] if group.category is not None else []
        rows += [
            _row(str(each.id), each.name, set_place, chosen=each is chosen)
            for each in [*listed, *group.channels]
        ]
    words = tr("Computed as the server decides it. Channels that you do not see are not here.")
    stretched = ft.CrossAxisAlignment.STRETCH
    places = ft.Column(rows, width=240, spacing=2, horizontal_alignment=stretched)
    return page(
        tr("See as role"),
        kit.text(words, color=theme.QUIET),
        choice(
            "see-as", tr("Role"), str(role.id), [(str(r.id), r.name) for r in roles], set_wanted
        ),
        ft.Row(
            [places, _abilities(may)],
            spacing=24,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
    )


def _row(key: str, name: str, on_click: kit.Handler, *, chosen: bool) -> ft.Control:
    label = kit.line(name, "name" if chosen else "body")
    return kit.row(f"see-{name}", name, label, lambda: on_click(key), chosen=chosen, margin=0)


def _abilities(may: Permission) -> ft.Control:
    lines: list[ft.Control] = []
    for group in abilities_of(may):
        lines.append(kit.text(group.title, "label", theme.FAINT))
        lines += [kit.text(each.name) for each in group.abilities]
    if not lines:
        lines.append(kit.text(tr("Nothing."), color=theme.QUIET))
    names = ", ".join(each.name for group in abilities_of(may) for each in group.abilities)
    return kit.semantics("see-abilities", ft.Column(lines, spacing=4, tight=True), names)
