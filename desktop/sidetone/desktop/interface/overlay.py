"""The small window above others that says who speaks."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import UserFace
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.speaking_ring import ringed
from sidetone.protocol.ids import UserId

_RADIUS = 13


@ft.component
def OverlayView(view: View) -> ft.Control:
    """Draw who is in the call, and light up who speaks."""
    view.watch(Topic("call"), Topic("preferences"))
    voice = view.core.voice
    account = voice.account
    opacity = view.core.preferences.current.overlay.opacity_percent / 100
    if voice.call is None or account is None:
        words = tr("You are in no call.")
        rows: list[ft.Control] = [
            kit.semantics("overlay-empty", kit.text(words, "small", theme.QUIET), words)
        ]
    else:
        there = dict.fromkeys([account.id, *voice.roster])
        rows = [hooks.keyed(f"over-{user}", OverlayRow, view, account, user) for user in there]
    return ft.Container(
        ft.Column(rows, spacing=4, tight=True),
        padding=10,
        bgcolor=ft.Colors.with_opacity(opacity, theme.RAIL),
        border_radius=12,
        alignment=ft.Alignment.TOP_LEFT,
        expand=True,
    )


@ft.component
def OverlayRow(view: View, account: Account, user: UserId) -> ft.Control:
    """Draw one person; the ring alone follows their voice."""
    view.watch(Topic("user", user))
    name = names.name_of(account.knowledge, user)
    face = UserFace(view, account, user, _RADIUS, None)
    return kit.semantics(
        f"overlay-{name}",
        ft.Row(
            [ringed(view, user, face, _RADIUS), kit.line(name, "label", expand=True)], spacing=8
        ),
        name,
    )
