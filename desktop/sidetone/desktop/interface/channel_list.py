"""The channels of the server that is open, and who is in which call."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, ServerId
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


@ft.component
def VoiceChannel(view: View, account: Account, channel: Channel) -> ft.Control:
    """Draw one voice channel and who is in it."""
    id_ = ChannelId(channel.id)
    view.watch(Topic("voice", id_))
    there = account.knowledge.voices.get(id_, {})
    account.want_names(*there)
    content = ft.Row(
        [
            ft.Icon(ft.Icons.VOLUME_UP, size=18, color=theme.FAINT),
            kit.line(channel.name, "body", theme.QUIET, expand=True),
        ],
        spacing=8,
    )
    label = tr("Voice channel {name}", name=channel.name)
    return ft.Column(
        [
            kit.row(f"voice-{channel.name}", label, content, lambda: None),
            *(_talker(account.knowledge, ServerId(channel.server), user) for user in there),
        ],
        spacing=1,
    )


def _talker(knowledge: Knowledge, server: ServerId, user: "names.UserId") -> ft.Control:
    name = names.name_of(knowledge, user, knowledge.communities.get(server))
    face = kit.avatar(names.initials(name), names.avatar_color(user), 11)
    return ft.Container(
        ft.Row([face, kit.line(name, "small", theme.QUIET, expand=True)], spacing=8),
        padding=ft.Padding.only(left=36, right=10, top=2, bottom=2),
    )
