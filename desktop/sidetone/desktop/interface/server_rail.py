"""The rail at the left: one's own home, the servers, and what waits in them."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.arrange_servers import drop_server, is_muted, servers_of
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import ServerFace
from sidetone.desktop.interface.servers.add_server import open_add_server
from sidetone.desktop.interface.servers.server_menu import server_menu
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Server

WIDTH = 72
_SIZE = 46


@ft.component
def ServerRail(view: View) -> ft.Control:
    """List every server of every account that is signed in."""
    view.watch(Topic("servers"), Topic("accounts"), Topic("place"), Topic("preferences"))
    line = ft.Container(
        ft.Container(width=32, height=2, border_radius=1, bgcolor=theme.LINE),
        alignment=ft.Alignment.CENTER,
    )
    entries: list[ft.Control] = [_home(view), line]
    for account, server in servers_of(view.core):
        muted = is_muted(view.core, ServerId(server.id))
        here = view.place.server == server.id and view.place.screen != "friends"
        entries.append(
            hooks.keyed(str(server.id), RailServer, view, account, server, here=here, muted=muted)
        )
    entries.append(_add(view))
    return ft.Container(
        ft.ListView(entries, spacing=10, padding=ft.Padding.symmetric(vertical=12)),
        width=WIDTH,
        bgcolor=theme.RAIL,
    )


@hooks.memo
@ft.component
def RailServer(
    view: View, account: Account, server: Server, *, here: bool, muted: bool
) -> ft.Control:
    """Draw one server, whether something is unread in it, and how many mentions."""
    id_ = ServerId(server.id)
    view.watch(Topic("server", id_), Topic("unread", id_))
    waits, mentions = account.knowledge.waiting(id_)
    unread = waits and not muted
    return hooks.kept().use(
        "tile", RailTile, view, account, server, here=here, unread=unread, mentions=mentions
    )


@ft.component
def RailTile(
    view: View, account: Account, server: Server, *, here: bool, unread: bool, mentions: int
) -> ft.Control:
    """Draw it; only when something of it is seen to change."""
    id_ = ServerId(server.id)
    label = server.name
    if mentions:
        label = trn("{server}, {n} mention", "{server}, {n} mentions", mentions, server=label)
    elif unread:
        label = tr("{server}, unread", server=label)
    face = ServerFace(view, account, server, _SIZE, theme.ON_ACCENT if here else theme.QUIET)
    entry = _entry(
        f"server-{server.name}",
        label,
        face,
        lambda: view.open_server(account, id_),
        here=here,
        unread=unread,
        mentions=mentions,
    )

    def offer(event: ft.TapEvent[ft.GestureDetector]) -> None:
        view.menu(event.global_position or ft.Offset(0, 0), server_menu(view, account, id_))

    def accept(event: ft.DragTargetEvent) -> None:
        drop_server(view.core, event.src.data, id_)

    return ft.Draggable(
        ft.DragTarget(
            ft.GestureDetector(entry, on_secondary_tap_down=offer),
            group="servers",
            on_accept=accept,
        ),
        group="servers",
        data=id_,
        content_feedback=kit.feedback(server.name),
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


def _add(view: View) -> ft.Control:
    face = ft.Icon(ft.Icons.ADD, color=theme.GOOD)
    return _entry("rail-add", tr("Add a server"), face, lambda: open_add_server(view), here=False)


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
        width=_SIZE,
        height=_SIZE,
        alignment=ft.Alignment.CENTER,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
        on_click=on_click,
        ink=True,
        bgcolor=theme.ACCENT if here else theme.RAISED,
        border_radius=14 if here else 23,
        tooltip=label,
    )
    parts: list[ft.Control] = [tile]
    if mentions:
        parts.append(ft.Container(kit.badge(mentions), right=-4, bottom=-2))
    stack = ft.Stack(parts, width=_SIZE, height=_SIZE, clip_behavior=ft.ClipBehavior.NONE)
    return ft.Row(
        [mark, kit.semantics(identifier, stack, label, button=True, selected=here)], spacing=8
    )
