"""What can be done about somebody in a voice channel: for oneself, and by who may moderate."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.moderate_voice import (
    deafen_member,
    move_member,
    mute_member,
    put_out,
)
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.talker_sheet import TalkerSheet
from sidetone.desktop.interface.voice.verification import SafetySheet
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel


def talker_menu(
    view: View, account: Account, channel: Channel, user: UserId
) -> list[ft.PopupMenuItem]:
    """Return the menu of *user*, who is in the call of *channel*."""
    own = _for_oneself(view, account, user) if user != account.id else []
    others = _by_moderators(view, account, channel, user)
    return [*own, *([kit.menu_line()] if own and others else []), *others]


def _for_oneself(view: View, account: Account, user: UserId) -> list[ft.PopupMenuItem]:
    voice = view.core.voice
    silent = voice.volumes.of(user) == 0
    items = [
        kit.menu_item(
            "talker-volume",
            tr("Volume: {percent} %", percent=voice.volumes.of(user)),
            ft.Icons.TUNE,
            lambda: view.open(kit.sheet(hooks.apart(TalkerSheet, view, account, user), width=360)),
        ),
        kit.menu_item(
            "talker-silence",
            tr("Hear again") if silent else tr("Mute for me"),
            ft.Icons.VOLUME_UP if silent else ft.Icons.VOLUME_OFF,
            lambda: voice.volumes.silence(user, silent=not silent),
        ),
    ]
    if voice.shield(user) is not None:
        items.append(
            kit.menu_item(
                "talker-verify",
                tr("Safety number"),
                ft.Icons.VERIFIED_USER,
                lambda: view.open(
                    kit.sheet(hooks.apart(SafetySheet, view, account, user, view.close))
                ),
            )
        )
    return items


def _by_moderators(
    view: View, account: Account, channel: Channel, user: UserId
) -> list[ft.PopupMenuItem]:
    id_, server = ChannelId(channel.id), ServerId(channel.server)
    community = account.knowledge.communities.get(server)
    member = community.members.get(user) if community is not None else None
    may = account.knowledge.permissions(id_, account.clock.now_ms())
    items: list[ft.PopupMenuItem] = []
    if member is not None and Permission.MUTE_MEMBERS in may:
        items.append(
            kit.menu_item(
                "talker-server-mute",
                tr("Unmute in this server") if member.muted else tr("Mute in this server"),
                ft.Icons.MIC if member.muted else ft.Icons.MIC_OFF,
                lambda: view.start(mute_member(account, server, user, muted=not member.muted)),
            )
        )
    if member is not None and Permission.DEAFEN_MEMBERS in may:
        items.append(
            kit.menu_item(
                "talker-server-deafen",
                tr("Undeafen in this server") if member.deafened else tr("Deafen in this server"),
                ft.Icons.HEADSET if member.deafened else ft.Icons.HEADSET_OFF,
                lambda: view.start(
                    deafen_member(account, server, user, deafened=not member.deafened)
                ),
            )
        )
    if Permission.MOVE_MEMBERS in may and user != account.id:
        items += _moves(view, account, id_, user)
        items.append(
            kit.menu_item(
                "talker-put-out",
                tr("Disconnect"),
                ft.Icons.LOGOUT,
                lambda: view.start(put_out(account, id_, user)),
                danger=True,
            )
        )
    return items


def _moves(
    view: View, account: Account, source: ChannelId, user: UserId
) -> list[ft.PopupMenuItem]:
    """Return the voice channels that *user* could be taken to; those of many at the top."""
    community = account.knowledge.home_of(source)
    if community is None:
        return []
    targets = sorted(
        (
            each
            for each in community.visible(account.id)
            if each.kind == "voice" and each.id != source
        ),
        key=lambda each: each.position,
    )
    return [
        kit.menu_item(
            f"talker-move-{target.name}",
            tr("Move to {channel}", channel=target.name),
            ft.Icons.DRIVE_FILE_MOVE_OUTLINE,
            _mover(view, account, source, user, ChannelId(target.id)),
        )
        for target in targets[:_MOVES_MAX]
    ]


def _mover(
    view: View, account: Account, source: ChannelId, user: UserId, target: ChannelId
) -> kit.Handler:
    return lambda: view.start(move_member(account, source, user, target))


_MOVES_MAX = 8
