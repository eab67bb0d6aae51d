"""A voice channel in the list of channels, and who is in its call."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.knowledge import Knowledge
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel


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


def _talker(knowledge: Knowledge, server: ServerId, user: UserId) -> ft.Control:
    name = names.name_of(knowledge, user, knowledge.communities.get(server))
    face = kit.avatar(names.initials(name), names.avatar_color(user), 11)
    return ft.Container(
        ft.Row([face, kit.line(name, "small", theme.QUIET, expand=True)], spacing=8),
        padding=ft.Padding.only(left=36, right=10, top=2, bottom=2),
    )
