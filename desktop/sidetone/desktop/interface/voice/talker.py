"""Somebody in a voice channel: whether they speak, can be heard and can be trusted."""

from typing import TypeAlias

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.voice import Shield, shield_words
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import UserFace
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.speaking_ring import ringed
from sidetone.desktop.interface.voice.talker_menu import talker_menu
from sidetone.desktop.interface.voice.talker_sheet import TalkerSheet
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel

_RADIUS = 11
_Mark: TypeAlias = tuple[ft.IconData, str, ft.Colors]
SHIELDS: dict[Shield, tuple[ft.IconData, ft.Colors]] = {
    "verified": (ft.Icons.VERIFIED_USER, theme.GOOD),
    "known": (ft.Icons.SHIELD_OUTLINED, theme.FAINT),
    "new": (ft.Icons.SHIELD_OUTLINED, theme.ACCENT),
    "changed": (ft.Icons.GPP_MAYBE, theme.BAD),
}


@ft.component
def Talker(view: View, account: Account, channel: Channel, user: UserId) -> ft.Control:
    """Draw one person; the other mouse button offers what can be done about them."""
    view.watch(Topic("user", user), Topic("call"))
    name = names.name_of(
        account.knowledge, user, account.knowledge.communities.get(ServerId(channel.server))
    )
    face = UserFace(view, account, user, _RADIUS, None)
    marks = _marks(view, account, channel, user)
    coming = view.core.voice.is_in(ChannelId(channel.id)) and _is_coming(view, account, user)
    label = ", ".join([name, *(words for _, words, _ in marks)])
    row = ft.Row(
        [
            ringed(view, user, face, _RADIUS),
            kit.line(name, "small", theme.QUIET, expand=True),
            *(ft.Icon(icon, size=15, color=color, tooltip=words) for icon, words, color in marks),
        ],
        spacing=6,
    )
    body = ft.GestureDetector(
        ft.Container(
            row,
            padding=ft.Padding.only(left=32, right=12, top=1, bottom=1),
            opacity=0.6 if coming else 1,
            border_radius=8,
            ink=True,
            on_click=lambda: _open(view, account, user),
        ),
        on_secondary_tap_down=lambda e: view.menu(
            e.global_position or ft.Offset(), talker_menu(view, account, channel, user)
        ),
    )
    return kit.semantics(f"talker-{name}", body, label, button=True)


def _open(view: View, account: Account, user: UserId) -> None:
    if user != account.id:
        view.open(kit.sheet(hooks.apart(TalkerSheet, view, account, user), width=360))


def _is_coming(view: View, account: Account, user: UserId) -> bool:
    """Tell whether *user* is told to be in our call, and holds no keys of it (yet)."""
    voice = view.core.voice
    return voice.call is not None and user != account.id and user not in voice.roster


def _marks(view: View, account: Account, channel: Channel, user: UserId) -> list[_Mark]:
    """Return what is to be known of *user* at a glance, the most important last."""
    voice = view.core.voice
    joined = voice.is_in(ChannelId(channel.id))
    community = account.knowledge.communities.get(ServerId(channel.server))
    member = community.members.get(user) if community is not None else None
    marks: list[_Mark] = []
    shield = voice.shield(user) if joined else None
    if shield is not None:
        icon, color = SHIELDS[shield]
        marks.append((icon, shield_words(shield), color))
    if joined and voice.call is not None and user in {each.user for each in voice.call.screens}:
        marks.append((ft.Icons.SCREEN_SHARE, tr("shows a screen"), theme.ACCENT))
    if joined and voice.volumes.of(user) == 0:
        marks.append((ft.Icons.VOLUME_OFF, tr("muted by you"), theme.FAINT))
    muted, deafened = _own_marks(view, account, ChannelId(channel.id), user)
    if member is not None and member.muted:
        marks.append((ft.Icons.MIC_OFF, tr("muted by the server"), theme.BAD))
    elif muted:
        marks.append((ft.Icons.MIC_OFF, tr("muted"), theme.FAINT))
    if member is not None and member.deafened:
        marks.append((ft.Icons.HEADSET_OFF, tr("deafened by the server"), theme.BAD))
    elif deafened:
        marks.append((ft.Icons.HEADSET_OFF, tr("deafened"), theme.FAINT))
    return marks


def _own_marks(
    view: View, account: Account, channel: ChannelId, user: UserId
) -> tuple[bool, bool]:
    """Return whether *user* muted and deafened themselves: as we know best."""
    voice = view.core.voice
    if voice.call is not None and voice.is_in(channel):
        if user == account.id:
            return voice.muted or voice.deafened, voice.deafened
        for peer in voice.call.peers:
            if peer.user == user:
                return peer.muted, peer.deafened
    state = account.knowledge.voices.get(channel, {}).get(user)
    return (state.muted, state.deafened) if state is not None else (False, False)
