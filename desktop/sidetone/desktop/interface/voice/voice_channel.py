"""A voice channel in the list of channels, and who is in its call."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.talker import Talker
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.servers import Channel


@ft.component
def VoiceChannel(view: View, account: Account, channel: Channel) -> ft.Control:
    """Draw one voice channel and who is in it; the first click joins, the next one shows it."""
    id_ = ChannelId(channel.id)
    view.watch(Topic("voice", id_), Topic("place"), Topic("server", channel.server))
    joined = view.core.voice.is_in(id_)
    there = who_is_there(view, account, id_)
    account.want_names(*there)
    allowed = Permission.CONNECT in account.knowledge.permissions(id_, account.clock.now_ms())
    content = ft.Row(
        [
            ft.Icon(
                ft.Icons.VOLUME_UP if allowed else ft.Icons.LOCK_OUTLINE,
                size=18,
                color=theme.GOOD if joined else theme.FAINT,
            ),
            kit.line(
                channel.name,
                "name" if joined else "body",
                theme.TEXT if joined else theme.QUIET,
                expand=True,
            ),
            kit.text(str(len(there)) if there else "", "section", theme.FAINT),
        ],
        spacing=8,
    )
    if joined:
        label = tr("Voice channel {name}, you are in it: show it", name=channel.name)
    elif allowed:
        label = tr("Join voice channel {name}", name=channel.name)
    else:
        label = tr("Voice channel {name}, not for you", name=channel.name)
    return ft.Column(
        [
            kit.row(
                f"voice-{channel.name}",
                label,
                content,
                (lambda: _enter(view, account, id_)) if allowed else None,
                chosen=view.place.channel == id_,
            ),
            *(
                hooks.keyed(f"talker-{user}", Talker, view, account, channel, user)
                for user in there
            ),
        ],
        spacing=1,
    )


def who_is_there(view: View, account: Account, channel: ChannelId) -> list[UserId]:
    """Return who is in the call of *channel*.

    Of the call that we are in this is who holds its keys, whatever the server says, and beside
    them those who are just coming in.
    """
    told = list(account.knowledge.voices.get(channel, {}))
    voice = view.core.voice
    if voice.call is None or not voice.is_in(channel):
        return told
    return list(dict.fromkeys([*told, account.id, *voice.roster]))


def _enter(view: View, account: Account, channel: ChannelId) -> None:
    if view.core.voice.is_in(channel):
        view.open_channel(account, channel)
    else:
        view.start(view.core.voice.join(account, channel))
