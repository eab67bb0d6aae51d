"""Who one is, and the three buttons that are always at hand: microphone, hearing, settings."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.set_status import set_status
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import UserFace
from sidetone.desktop.interface.status_dialog import open_status
from sidetone.desktop.interface.view import View
from sidetone.protocol.social import Status, WishedStatus

DOTS: dict[Status, ft.Colors] = {
    "online": theme.GOOD,
    "idle": theme.WARNING,
    "dnd": theme.BAD,
    "invisible": theme.FAINT,
    "offline": theme.FAINT,
}
ICONS: dict[WishedStatus, ft.IconData] = {
    "online": ft.Icons.CIRCLE,
    "idle": ft.Icons.DARK_MODE,
    "dnd": ft.Icons.DO_NOT_DISTURB_ON,
    "invisible": ft.Icons.CIRCLE_OUTLINED,
}


@ft.component
def UserArea(view: View) -> ft.Control:
    """Draw the account that is open."""
    view.watch(Topic("place"), Topic("accounts"))
    account = view.account
    if account is None:
        return ft.Container(visible=False)
    return ft.Row(
        [hooks.keyed(f"me-{account.id}", Me, view, account), hooks.keyed("ears", Ears, view)],
        spacing=2,
    )


@ft.component
def Me(view: View, account: Account) -> ft.Control:
    """Draw one's own face and status; a click changes the status."""
    view.watch(Topic("user", account.id), Topic("accounts"))
    name = names.name_of(account.knowledge, account.id)
    # What the server said of us last is not so while it does not see us.
    seen = account.connection == "online"
    presence = account.knowledge.presences.get(account.id) if seen else None
    status: Status = presence.status if presence is not None else "offline"
    face = UserFace(view, account, account.id, 16, DOTS[status], theme.RAIL)
    text = presence.text if presence is not None and presence.text else status_words(status)
    body = ft.Container(
        ft.Row(
            [
                face,
                ft.Column(
                    [kit.line(name, "name"), kit.line(text, "small", theme.QUIET)],
                    spacing=0,
                    expand=True,
                ),
            ],
            spacing=8,
        ),
        padding=4,
        border_radius=8,
        ink=True,
    )
    menu = ft.PopupMenuButton(content=body, items=_statuses(view, account), tooltip="")
    me = kit.semantics("own-status", menu, tr("{name}: {status}", name=name, status=text))
    me.expand = True
    return me


def _statuses(view: View, account: Account) -> list[ft.PopupMenuItem]:
    statuses = [
        kit.menu_item(
            f"status-{each}",
            status_words(each),
            ICONS[each],
            view.act(set_status, account, each),
            tint=DOTS[each],
        )
        for each in ICONS
    ]
    words = kit.menu_item(
        "status-words",
        tr("Say what you do …"),
        ft.Icons.EDIT_OUTLINED,
        lambda: open_status(view, account),
    )
    return [*statuses, kit.menu_line(), words]


@ft.component
def Ears(view: View) -> ft.Control:
    """Draw the switches of microphone and hearing, which hold for this and every later call."""
    view.watch(Topic("call"))
    voice = view.core.voice
    muted, deafened = voice.muted or voice.deafened, voice.deafened
    return ft.Row(
        [
            kit.icon_button(
                "voice-mute",
                ft.Icons.MIC_OFF if muted else ft.Icons.MIC,
                tr("Unmute") if muted else tr("Mute"),
                lambda: voice.set_muted(muted=not (voice.muted or voice.deafened)),
                color=theme.BAD if muted else theme.QUIET,
            ),
            kit.icon_button(
                "voice-deafen",
                ft.Icons.HEADSET_OFF if deafened else ft.Icons.HEADSET,
                tr("Undeafen") if deafened else tr("Deafen"),
                lambda: voice.set_deafened(deafened=not voice.deafened),
                color=theme.BAD if deafened else theme.QUIET,
            ),
            kit.icon_button(
                "open-settings",
                ft.Icons.SETTINGS,
                tr("Settings"),
                lambda: view.go(screen="settings"),
            ),
        ],
        spacing=0,
    )


def status_words(status: Status) -> str:
    """Say how one is seen."""
    match status:
        case "online":
            return tr("Online")
        case "idle":
            return tr("Away")
        case "dnd":
            return tr("Do not disturb")
        case "invisible":
            return tr("Invisible")
        case "offline":
            return tr("Offline")
