"""Who has one role, and giving and taking it."""

from typing import Final

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import MemberPicker, UserName
from sidetone.desktop.interface.servers.member_menu import change_role
from sidetone.desktop.interface.servers.server_menu import standing_in
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import RoleId, ServerId, UserId

# Of many only the first are listed; the page of members finds the others.
_LISTED_MAX: Final = 30


@ft.component
def RoleMembers(view: View, account: Account, server: ServerId, role: RoleId) -> ft.Control:
    """List them, and offer to add others."""
    view.watch(Topic("server", server))
    community = account.knowledge.communities[server]
    known = community.roles.get(role)
    holders = [
        UserId(member.user) for member in community.members.values() if role in member.roles
    ]
    holders.sort(key=lambda user: names.name_of(account.knowledge, user, community).casefold())
    standing = standing_in(account, server)
    rows: list[ft.Control] = []
    for user in holders[:_LISTED_MAX]:
        why_not = standing.why_not_give(known, user) if known is not None else "-"
        name = names.name_of(account.knowledge, user, community)
        take = kit.icon_button(
            f"role-take-{name}",
            ft.Icons.CLOSE,
            why_not or tr("Take the role from {name}", name=name),
            view.act(change_role, account, server, user, role, False),
            disabled=bool(why_not),
        )
        who = hooks.keyed(f"name-{user}", UserName, view, account, server, user)
        rows.append(ft.Row([ft.Container(who, expand=True), take], key=str(user)))
    if len(holders) > _LISTED_MAX:
        left = len(holders) - _LISTED_MAX
        rows.append(kit.text(trn("and {n} more", "and {n} more", left), "small", theme.QUIET))
    if not holders:
        rows.append(kit.text(tr("Nobody has this role yet."), "small", theme.QUIET))

    def give(user: UserId) -> None:
        view.start(change_role(account, server, user, role, True))

    if known is not None and not standing.why_not_role(known):
        label = tr("Give it to a member")
        rows.append(hooks.keyed("give", MemberPicker, view, account, server, label, give))
    return ft.Column(rows, spacing=4, tight=True)
