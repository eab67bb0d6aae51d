"""Who is in the server that is open: by hoisted role, then by presence."""

import flet as ft

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import UserId
from sidetone.protocol.social import Status

WIDTH = 228
DOTS: dict[Status, str] = {"online": theme.GOOD, "idle": theme.WARNING, "dnd": theme.BAD}


@ft.component
def MemberList(view: View) -> ft.Control:
    """List the members; each row is drawn anew alone when its member changes."""
    server = view.place.server
    view.watch(Topic("server", server), Topic("accounts"))
    account = view.account
    community = account.knowledge.communities.get(server) if account and server else None
    if account is None or community is None:
        return ft.Container(width=0)
    account.want_names(*map(UserId, community.members))
    rows: list[ft.Control] = []
    for title, users in _groups(account, community):
        rows.append(kit.section(f"{title} — {len(users)}"))
        rows += [
            hooks.keyed(str(user), MemberRow, view, account, community, user) for user in users
        ]
    return ft.Container(ft.ListView(rows, expand=True), width=WIDTH, bgcolor=theme.SIDE)


def _groups(account: Account, community: Community) -> list[tuple[str, list[UserId]]]:
    groups: dict[tuple[int, str], list[UserId]] = {}
    for member in map(UserId, community.members):
        presence = account.knowledge.presences.get(member)
        role = names.top_role(community, member, hoisted=True)
        if presence is None or presence.status == "offline":
            place = (1, tr("Offline"))
        elif role is not None:
            place = (-role.position, role.name)
        else:
            place = (0, tr("Online"))
        groups.setdefault(place, []).append(member)
    return [
        (
            title,
            sorted(
                users,
                key=lambda user: names.name_of(account.knowledge, user, community).casefold(),
            ),
        )
        for (_, title), users in sorted(groups.items())
    ]


@ft.component
def MemberRow(view: View, account: Account, community: Community, user: UserId) -> ft.Control:
    """Draw one member."""
    view.watch(Topic("user", user))
    name = names.name_of(account.knowledge, user, community)
    presence = account.knowledge.presences.get(user)
    status = presence.status if presence is not None else "offline"
    face = kit.avatar(
        names.initials(name), names.avatar_color(user), presence=DOTS.get(status, theme.FAINT)
    )
    lines: list[ft.Control] = [
        kit.line(name, "body", names.color_of(community, user) or theme.TEXT)
    ]
    if presence is not None and (presence.text or presence.game):
        lines.append(kit.line(presence.text or presence.game, "small", theme.QUIET))
    content = ft.Row([face, ft.Column(lines, spacing=0, expand=True)], spacing=10)
    return kit.row(
        f"member-{name}", name, content, lambda: None, opacity=1 if status != "offline" else 0.6
    )
