"""The members of a server, to be found by name and looked after."""

from functools import partial
from typing import Final

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.forms import (
    FIELD_WIDTH,
    UserName,
    card,
    empty,
    members_like,
)
from sidetone.desktop.interface.later import gradually
from sidetone.desktop.interface.servers.member_menu import member_menu, role_items
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId

_LISTED_MAX: Final = 50
# Members that are drawn in one turn.
_AT_ONCE: Final = 1


@ft.component
def MembersPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """Find members; of thousands the first that fit are shown."""
    view.watch(Topic("server", server))
    wanted = hooks.entry("")
    limit, set_limit = hooks.state(_LISTED_MAX)
    community = account.knowledge.communities[server]
    found = members_like(account, community, wanted.value)
    listed = found[:limit]
    account.want_names(*(user for _, user in listed))
    rows: list[ft.Control] = [
        hooks.keyed(str(user), _CARD, view, account, server, user, name)
        for name, user in listed[: gradually(view, len(listed), _AT_ONCE)]
    ]
    if not rows:
        rows.append(empty("members-none", ft.Icons.PERSON_SEARCH, tr("Nobody is called so.")))
    if len(found) > limit:
        more = lambda: set_limit(limit + _LISTED_MAX)  # noqa: E731
        rows.append(kit.button("list-more", tr("Show more"), more, kind="quiet"))
    count = trn("{n} member", "{n} members", len(community.members))
    return page(
        tr("Members"),
        kit.text(count, color=theme.QUIET),
        kit.field(
            "members-search",
            tr("Find a member"),
            wanted.value,
            wanted.set,
            prefix_icon=ft.Icons.SEARCH,
            width=FIELD_WIDTH,
        ),
        ft.Column(rows, spacing=6, tight=True),
    )


@ft.component
def MemberCard(
    view: View, account: Account, server: ServerId, user: UserId, name: str
) -> ft.Control:
    """Draw one member: roles, how long, and what can be done."""
    view.watch(Topic("user", user), Topic("server", server))
    community = account.knowledge.communities[server]
    member = community.members.get(user)
    if member is None:
        return ft.Container(height=0)
    roles = [community.roles[role].name for role in member.roles if role in community.roles]
    words = [tr("since {date}", date=times.long_date(member.joined_at_ms)), *roles]
    if member.timeout_until_ms > account.clock.now_ms():
        words.insert(0, tr("timed out until {time}", time=times.moment(member.timeout_until_ms)))
    if user == community.owner:
        words.insert(0, tr("owner"))
    trailing: list[ft.Control] = []
    for identifier, label, icon, items in (
        ("roles", tr("Roles of {name}", name=name), ft.Icons.SHIELD_OUTLINED, role_items),
        ("menu", tr("Menu of {name}", name=name), ft.Icons.MORE_HORIZ, member_menu),
    ):
        offered = partial(items, view, account, server, user)
        if offered():
            trailing.append(view.menu_button(f"member-{identifier}-{name}", label, icon, offered))
    who = hooks.keyed("who", UserName, view, account, server, user, " · ".join(words))
    return card(f"member-card-{name}", who, name, *trailing)


_CARD = hooks.memo(MemberCard)
