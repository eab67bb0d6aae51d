"""The rail at the left: one's own home, the servers, and what waits in them."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Server

WIDTH = 72


@ft.component
def ServerRail(view: View) -> ft.Control:
    """List every server of every account that is signed in."""
    view.watch(Topic("servers"), Topic("accounts"), Topic("place"), Topic("unread"))
    entries: list[ft.Control] = [_home(view)]
    for account in view.core.accounts.values():
        entries += [
            _server(view, account, community.server)
            for community in account.knowledge.communities.values()
            if community.server.kind == "community"
        ]
    entries.append(_add(view))
    return ft.Container(
        ft.ListView(entries, spacing=10, padding=ft.Padding.symmetric(vertical=12)),
        width=WIDTH,
        bgcolor=theme.RAIL,
    )


def _home(view: View) -> ft.Control:
    here = view.place.screen == "friends"
    face = ft.Icon(ft.Icons.FORUM, color=theme.ON_ACCENT if here else theme.QUIET, size=22)
    return _entry(
        "rail-home",
        tr("Friends and messages"),
        face,
        lambda: view.go(screen="friends", server=None, channel=None),
        here=here,
    )


def _server(view: View, account: Account, server: Server) -> ft.Control:
    here = view.place.server == server.id and view.place.screen == "server"
    unread, mentions = account.knowledge.waiting(ServerId(server.id))
    face = kit.text(
        names.initials(server.name), "heading", theme.ON_ACCENT if here else theme.QUIET
    )
    label = server.name
    if mentions:
        label = tr("{server}, {count} mentions", server=server.name, count=mentions)
    elif unread:
        label = tr("{server}, unread", server=server.name)
    return _entry(
        f"server-{server.name}",
        label,
        face,
        lambda: view.open_server(account, ServerId(server.id)),
        here=here,
        unread=unread,
        mentions=mentions,
    )


def _add(view: View) -> ft.Control:
    face = ft.Icon(ft.Icons.ADD, color=theme.GOOD)
    return _entry(
        "rail-add", tr("Add a server"), face, lambda: view.go(screen="sign_in"), here=False
    )


def _entry(
    identifier: str,
    label: str,
    face: ft.Control,
    on_click: kit.Handler,
    *,
    here: bool,
    unread: bool = False,
    mentions: int = 0,
) -> ft.Control:
    mark = ft.Container(
        width=4,
        height=28 if here else 8,
        border_radius=4,
        bgcolor=theme.TEXT if here or unread else ft.Colors.TRANSPARENT,
    )
    tile = ft.Container(
        face,
        width=46,
        height=46,
        alignment=ft.Alignment.CENTER,
        on_click=on_click,
        ink=True,
        bgcolor=theme.ACCENT if here else theme.RAISED,
        border_radius=14 if here else 23,
        tooltip=label,
        badge=ft.Badge(label=str(mentions), bgcolor=theme.BAD, text_color=theme.ON_BAD)
        if mentions
        else None,
    )
    return ft.Row(
        [mark, kit.semantics(identifier, tile, label, button=True, selected=here)], spacing=8
    )
