"""Who is in the server that is open: by hoisted role, then by presence."""

import flet as ft

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.member_groups import (
    HEADER_HEIGHT,
    ROW_HEIGHT,
    Heading,
    Line,
    lines_of,
    window,
)
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import UserFace
from sidetone.desktop.interface.later import gradually
from sidetone.desktop.interface.profile_card import open_profile, person_menu
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.user_area import DOTS
from sidetone.protocol.ids import ServerId, UserId

WIDTH = 228
# Members that are drawn in one turn.
_AT_ONCE = 2


@ft.component
def MemberList(view: View) -> ft.Control:
    """List the members; of thousands only those near what can be seen are drawn."""
    server = view.place.server
    view.watch(
        Topic("server", server), Topic("accounts"), Topic("presences"), Topic("preferences")
    )
    place, set_place = hooks.state((0.0, 1_000.0))
    account = view.account
    community = account.knowledge.communities.get(server) if account and server else None
    if account is None or community is None:
        return ft.Container(width=0)
    lines = lines_of(account.knowledge, community)
    shown = window(lines, *place)
    drawn = lines[shown.first : shown.last]
    account.want_names(*(line for line in drawn if not isinstance(line, Heading)))

    def scrolled(event: ft.OnScrollEvent) -> None:
        now = (event.pixels, event.viewport_dimension)
        if window(lines, *now) != shown:
            set_place(now)

    ready = gradually(view, len(drawn), _AT_ONCE)
    rows = [_line(view, account, community, line) for line in drawn[:ready]]
    above = ft.Container(height=shown.before, key="above")
    rest = ROW_HEIGHT * (len(drawn) - ready)
    below = ft.Container(height=shown.after + rest, key="below")
    return ft.Container(
        ft.ListView(
            [above, *rows, below], expand=True, on_scroll=scrolled, scroll_interval=100, padding=0
        ),
        width=WIDTH,
        bgcolor=theme.SIDE,
    )


def _line(view: View, account: Account, community: Community, line: Line) -> ft.Control:
    if isinstance(line, Heading):
        if line.role is not None:
            title = line.role.name
        else:
            title = tr("Online") if line.there else tr("Offline")
        heading = kit.section(f"{title} — {line.size}")
        return ft.Container(heading, height=HEADER_HEIGHT, key=f"heading-{title}")
    color = view.name_color(community, line)
    server = ServerId(community.server.id)
    return hooks.keyed(str(line), MemberRow, view, account, server, line, color)


@hooks.memo
@ft.component
def MemberRow(
    view: View, account: Account, server: ServerId, user: UserId, color: str
) -> ft.Control:
    """Draw one member; *color* is that of the name."""
    view.watch(Topic("user", user))
    community = account.knowledge.communities.get(server)
    name = names.name_of(account.knowledge, user, community)
    presence = account.knowledge.presences.get(user)
    status = presence.status if presence is not None else "offline"
    away = status == "offline"
    words: list[ft.Control] = [kit.line(name, "body", theme.FAINT if away else color)]
    doing = (presence.text or presence.game) if presence is not None else ""
    if doing:
        words.append(kit.line(doing, "small", theme.QUIET))
    content = ft.Row(
        [
            ft.Container(
                UserFace(view, account, user, 16, DOTS[status]), opacity=0.5 if away else 1
            ),
            ft.Column(
                words, spacing=0, expand=True, alignment=ft.MainAxisAlignment.CENTER, tight=True
            ),
        ],
        spacing=10,
    )

    def offer(event: ft.TapEvent[ft.GestureDetector]) -> None:
        at = event.global_position or ft.Offset(0, 0)
        view.menu(at, person_menu(view, account, server, user))

    row = kit.row(
        f"member-{name}",
        name,
        content,
        lambda: open_profile(view, account, user, server),
        padding=ft.Padding.symmetric(horizontal=8, vertical=4),
        height=ROW_HEIGHT,
    )
    return ft.GestureDetector(row, on_secondary_tap_down=offer)
