"""The channels of the server that is open, and who is in which call."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.voice_channel import VoiceChannel
from sidetone.protocol.ids import ChannelId
from sidetone.protocol.servers import Channel

WIDTH = 252


@ft.component
def ChannelList(view: View) -> ft.Control:
    """Draw the channels by category, in their order."""
    server = view.place.server
    view.watch(Topic("server", server), Topic("place"))
    account = view.account
    community = account.knowledge.communities.get(server) if account and server else None
    if account is None or community is None:
        return ft.Container(width=WIDTH, bgcolor=theme.SIDE)
    rows: list[ft.Control] = []
    channels = sorted(community.visible(account.id), key=lambda each: each.position)
    for channel in channels:
        if channel.kind == "category":
            rows.append(kit.section(channel.name))
            rows += [
                _channel(view, account, each)
                for each in channels
                if each.parent == channel.id and each.kind != "thread"
            ]
        elif channel.parent is None and channel.kind != "thread":
            rows.append(_channel(view, account, channel))
    header = ft.Container(
        kit.line(community.server.name, "heading"),
        height=52,
        padding=ft.Padding.only(left=16, right=6),
        alignment=ft.Alignment.CENTER_LEFT,
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
    )
    return ft.Container(
        ft.Column([header, ft.ListView(rows, expand=True, spacing=1)], spacing=0),
        width=WIDTH,
        bgcolor=theme.SIDE,
    )


def _channel(view: View, account: Account, channel: Channel) -> ft.Control:
    id_ = ChannelId(channel.id)
    if channel.kind == "voice":
        return hooks.keyed(f"voice-{id_}", VoiceChannel, view, account, channel)
    read = account.knowledge.reads.get(id_)
    unread, mentions = (read.unread, read.mentions) if read is not None else (0, 0)
    here = view.place.channel == id_
    loud = here or bool(unread)
    trailing = [kit.badge(mentions)] if mentions else []
    content = ft.Row(
        [
            ft.Icon(ft.Icons.TAG, size=18, color=theme.FAINT),
            kit.line(
                channel.name,
                "name" if loud else "body",
                theme.TEXT if loud else theme.QUIET,
                expand=True,
            ),
            *trailing,
        ],
        spacing=8,
    )
    label = tr("Text channel {name}", name=channel.name)
    return kit.row(
        f"channel-{channel.name}",
        label,
        content,
        lambda: view.open_channel(account, id_),
        chosen=here,
    )
