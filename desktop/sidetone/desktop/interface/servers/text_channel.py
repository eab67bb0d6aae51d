"""A text channel and a thread, as lines of the list of channels."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.servers.channel_menu import channel_menu
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.servers import Channel


@hooks.memo
@ft.component
def TextChannel(
    view: View,
    account: Account,
    channel: Channel,
    *,
    here: bool,
    muted: bool,
) -> ft.Control:
    """Draw one text channel, whether something is unread in it, and how many mentions."""
    view.watch(Topic("unread", channel.id))
    read = account.knowledge.reads.get(channel.id)
    unread, mentions = (read.unread > 0, read.mentions) if read is not None else (False, 0)
    return hooks.kept().use(
        "line",
        ChannelLine,
        view,
        account,
        channel,
        here=here,
        muted=muted,
        unread=unread,
        mentions=mentions,
    )


@ft.component
def ChannelLine(
    view: View,
    account: Account,
    channel: Channel,
    *,
    here: bool,
    muted: bool,
    unread: bool,
    mentions: int,
) -> ft.Control:
    """Draw it; only when something of it is seen to change."""
    loud = here or (unread and not muted) or bool(mentions)
    label = tr("Text channel {name}", name=channel.name)
    if mentions:
        label = trn("{label}, {n} mention", "{label}, {n} mentions", mentions, label=label)
    elif unread:
        label = tr("{label}, unread", label=label)
    trailing: list[ft.Control] = []
    if muted:
        trailing.append(ft.Icon(ft.Icons.NOTIFICATIONS_OFF, size=14, color=theme.FAINT))
    if mentions:
        trailing.append(kit.badge(mentions))
    elif unread and not muted and not here:
        trailing.append(ft.Container(width=8, height=8, border_radius=4, bgcolor=theme.TEXT))
    if here:
        # With the keyboard there is no other way to the menu.
        trailing.append(_menu(view, account, channel))
    content = ft.Row(
        [
            ft.Icon(ft.Icons.TAG, size=18, color=theme.FAINT),
            kit.line(
                channel.name,
                "name" if loud else "body",
                theme.TEXT if loud else theme.FAINT if muted else theme.QUIET,
                expand=True,
            ),
            *trailing,
        ],
        spacing=8,
        height=22,
    )
    return kit.row(
        f"channel-{channel.name}",
        label,
        content,
        lambda: view.open_channel(account, channel.id),
        chosen=here,
    )


def _menu(view: View, account: Account, channel: Channel) -> ft.Control:
    return view.menu_button(
        f"channel-menu-{channel.name}",
        tr("Menu of {channel}", channel=channel.name),
        ft.Icons.MORE_HORIZ,
        lambda: channel_menu(view, account, channel),
    )


@hooks.memo
@ft.component
def ThreadRow(view: View, account: Account, thread: Channel, *, here: bool) -> ft.Control:
    """Draw one thread under its channel."""
    view.watch(Topic("unread", thread.id))
    read = account.knowledge.reads.get(thread.id)

    def enter() -> None:
        parent = thread.parent
        if parent is not None and view.place.channel != parent:
            view.open_channel(account, ChannelId(parent))
        view.go(thread=thread.id)

    loud = here or (read is not None and read.unread > 0)
    content = ft.Row(
        [
            ft.Icon(ft.Icons.SUBDIRECTORY_ARROW_RIGHT, size=14, color=theme.FAINT),
            kit.line(
                thread.name,
                "label" if loud else "small",
                theme.TEXT if loud else theme.QUIET,
                expand=True,
            ),
        ],
        spacing=6,
    )
    return kit.row(
        f"thread-{thread.name}",
        tr("Thread {name}", name=thread.name),
        content,
        enter,
        chosen=here,
        padding=ft.Padding.only(left=28, right=10, top=3, bottom=3),
    )
