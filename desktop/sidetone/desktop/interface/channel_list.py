"""The channels of the server that is open, and who is in which call."""

from collections.abc import Iterator
from typing import NamedTuple

import flet as ft

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.arrange_channels import drop_channel
from sidetone.desktop.application.arrange_servers import fold, is_muted
from sidetone.desktop.domain.channel_order import groups_of, threads_of
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.hooks import Kept
from sidetone.desktop.interface.later import gradually
from sidetone.desktop.interface.servers.channel_menu import channel_menu
from sidetone.desktop.interface.servers.edit_channel import open_create_channel
from sidetone.desktop.interface.servers.server_menu import server_menu, standing_in
from sidetone.desktop.interface.servers.text_channel import TextChannel, ThreadRow
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.voice_channel import VoiceChannel
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.servers import Channel

WIDTH = 252
HEADER_HEIGHT = 52
_MENU_AT = ft.Offset(88, 50)
# Threads under one channel; all of them are in the channel's own list.
_THREADS_MAX = 10
# Channels that are drawn in one turn.
_AT_ONCE = 2


@ft.component
def ChannelList(view: View) -> ft.Control:
    """Draw the channels by category, in their order."""
    server = view.place.server
    # What waits in a folded category is shown all the same; else its own row draws that.
    folds = bool(view.core.preferences.current.layout.collapsed)
    waits = Topic("unread" if folds else "server", server)
    view.watch(Topic("server", server), waits, Topic("place"), Topic("preferences"))
    account = view.account
    community = account.knowledge.communities.get(server) if account and server else None
    if account is None or community is None or server is None:
        return ft.Container(width=WIDTH, bgcolor=theme.SIDE)
    manages = standing_in(account, server).may(Permission.MANAGE_CHANNELS)
    channels = list(community.visible(account.id))
    places = list(_places(view, account, channels))
    ready = gradually(view, len(places), _AT_ONCE)
    kept = hooks.kept()
    rows = [_row(view, account, each, kept, manages=manages) for each in places[:ready]]
    if not channels:
        words = tr("There is no channel that you can see.")
        rows.append(ft.Container(kit.text(words, "small", theme.QUIET), padding=16))
    return ft.Container(
        ft.Column(
            [
                _header(view, account, community),
                ft.ListView(
                    rows, expand=True, spacing=1, padding=ft.Padding.only(top=8, bottom=16)
                ),
            ],
            spacing=0,
        ),
        width=WIDTH,
        bgcolor=theme.SIDE,
    )


def _header(view: View, account: Account, community: Community) -> ft.Control:
    """Draw the server's name, which opens what one can do with the server."""
    server = ServerId(community.server.id)
    name = community.server.name
    bar = ft.Container(
        ft.Row(
            [
                kit.line(name, "heading", expand=True),
                ft.Icon(ft.Icons.EXPAND_MORE, color=theme.QUIET),
            ]
        ),
        height=HEADER_HEIGHT,
        padding=ft.Padding.only(left=16, right=12),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
        ink=True,
        on_click=lambda: view.menu(_MENU_AT, server_menu(view, account, server)),
    )
    return kit.semantics("server-menu", bar, tr("Menu of {server}", server=name), button=True)


def _stands_out(view: View, account: Account, channel: Channel) -> bool:
    """Return whether *channel* is shown though its category is folded: it is open, or waits."""
    read = account.knowledge.reads.get(channel.id)
    talking = channel.kind == "voice" and bool(account.knowledge.voices.get(channel.id))
    waits = read is not None and bool(read.unread)
    return view.place.channel == channel.id or waits or talking


class Stand(NamedTuple):
    """How a row stands: whether it is open, muted or folded up."""

    here: bool = False
    muted: bool = False
    folded: bool = False


def _stand(view: View, channel: Channel) -> Stand:
    if channel.kind == "voice":
        return Stand()
    return Stand(
        here=view.place.channel == channel.id,
        muted=is_muted(view.core, ServerId(channel.server), channel.id),
    )


def _places(
    view: View, account: Account, channels: list[Channel]
) -> Iterator[tuple[Channel, Stand]]:
    """Return what stands below one another, and how."""
    threads = threads_of(channels)
    for category, inside in groups_of(channels):
        layout = view.core.preferences.current.layout
        folded = category is not None and category.id in layout.collapsed
        if category is not None:
            yield category, Stand(folded=folded)
        for channel in inside:
            if folded and not _stands_out(view, account, channel):
                continue
            yield channel, _stand(view, channel)
            for thread in threads.get(channel.id, [])[-_THREADS_MAX:]:
                yield thread, Stand(here=view.place.thread == thread.id)


def _row(
    view: View, account: Account, place: tuple[Channel, Stand], kept: Kept, *, manages: bool
) -> ft.Control:
    channel, stand = place
    if channel.kind == "thread":
        return kept.use(f"thread-{channel.id}", ThreadRow, view, account, channel, here=stand.here)
    return kept.use(f"placed-{channel.id}", Placed, view, account, channel, stand, manages=manages)


def _category(
    view: View,
    account: Account,
    category: Channel,
    *,
    folded: bool,
    manages: bool,
) -> ft.Control:
    arrow = ft.Icons.CHEVRON_RIGHT if folded else ft.Icons.EXPAND_MORE
    name = ft.Row(
        [
            ft.Icon(arrow, size=14, color=theme.FAINT),
            kit.line(category.name.upper(), "section", theme.FAINT, expand=True),
        ],
        spacing=2,
    )
    title = ft.Container(
        name, ink=True, border_radius=4, on_click=lambda: fold(view.core, category.id), padding=4
    )
    fold_button = kit.semantics(
        f"category-{category.name}", title, category.name, button=True, expanded=not folded
    )
    fold_button.expand = True
    parts: list[ft.Control] = [fold_button]
    if manages:
        parts.append(
            kit.icon_button(
                f"category-add-{category.name}",
                ft.Icons.ADD,
                tr("Create channel in {category}", category=category.name),
                lambda: open_create_channel(
                    view, account, ServerId(category.server), "text", category.id
                ),
                width=26,
                height=26,
                padding=0,
                icon_size=18,
            )
        )
        parts.append(
            view.menu_button(
                f"category-menu-{category.name}",
                tr("Menu of {category}", category=category.name),
                ft.Icons.MORE_HORIZ,
                lambda: channel_menu(view, account, category),
            )
        )
    return ft.Container(
        ft.Row(parts, spacing=0), padding=ft.Padding.only(left=6, right=8, top=12, bottom=2)
    )


@ft.component
def Placed(
    view: View, account: Account, channel: Channel, stand: Stand, *, manages: bool
) -> ft.Control:
    """Draw a row with the menu of its channel, movable by who may arrange channels."""
    if channel.kind == "category":
        row = _category(view, account, channel, folded=stand.folded, manages=manages)
    elif channel.kind == "voice":
        row = VoiceChannel(view, account, channel)
    else:
        row = TextChannel(view, account, channel, here=stand.here, muted=stand.muted)

    def offer(event: ft.TapEvent[ft.GestureDetector]) -> None:
        view.menu(event.global_position or ft.Offset(0, 0), channel_menu(view, account, channel))

    row = ft.GestureDetector(row, on_secondary_tap_down=offer)
    if not manages:
        return row

    def accept(event: ft.DragTargetEvent) -> None:
        moved: ChannelId = event.src.data
        view.start(drop_channel(account, ServerId(channel.server), moved, channel.id))

    return ft.Draggable(
        ft.DragTarget(row, group="channels", on_accept=accept),
        group="channels",
        data=channel.id,
        content_feedback=kit.feedback(channel.name),
    )
