"""What others show in the call: tiles to choose from, and the one that is watched."""

import flet as ft

from sidetone.client.events import SharedScreen
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.picture import Picture
from sidetone.protocol.ids import UserId

_HEIGHT = 440
_WINDOW = (960, 600)


@ft.component
def SharedScreens(view: View) -> ft.Control:
    """Draw what is shown, above the messages of the call's channel."""
    view.watch(Topic("call"), Topic("place"))
    voice = view.core.voice
    if (
        voice.call is None
        or voice.account is None
        or voice.channel is None
        or view.place.channel != voice.channel
        or not voice.call.screens
    ):
        return ft.Container(visible=False)
    account = voice.account
    watched = _watched(view)
    if watched is None:
        return ft.Container(
            ft.Row([_tile(view, account, each) for each in voice.call.screens], wrap=True),
            padding=16,
            bgcolor=theme.RAIL,
        )
    return ft.Container(
        ft.Column(
            [
                hooks.keyed(f"picture-{watched.user}", Picture, view, watched.user),
                _controls(view, account, watched),
            ],
            spacing=0,
        ),
        bgcolor=theme.RAIL,
        height=_HEIGHT,
    )


@ft.component
def WholeScreen(view: View) -> ft.Control:
    """Draw nothing but the screen that is watched: a window full of it."""
    view.watch(Topic("call"), Topic("place"))
    watched, account = _watched(view), view.core.voice.account
    if watched is None or account is None:
        words = tr("Nothing is shown here any more.")
        content: ft.Control = ft.Container(
            kit.semantics("watch-ended", kit.text(words, "heading", theme.QUIET), words),
            alignment=ft.Alignment.CENTER,
            expand=True,
        )
    else:
        content = hooks.keyed(f"whole-{watched.user}", Picture, view, watched.user)
    controls = _controls(view, account, watched) if watched and account else _back(view)
    return ft.Container(ft.Column([content, controls], spacing=0), bgcolor=theme.RAIL, expand=True)


def _watched(view: View) -> SharedScreen | None:
    call = view.core.voice.call
    shown = call.screens if call is not None else ()
    return next((each for each in shown if each.user == view.place.watching), None)


def _tile(view: View, account: Account, screen: SharedScreen) -> ft.Control:
    name = names.name_of(account.knowledge, screen.user)
    label = tr("Watch what {name} shows", name=name)
    tile = ft.Container(
        ft.Column(
            [
                ft.Icon(ft.Icons.SCREEN_SHARE, color=theme.ACCENT, size=28),
                kit.line(name, "name"),
                kit.line(
                    tr(
                        "{lines}p, {rate} a second",
                        lines=screen.height,
                        rate=screen.frames_per_second,
                    ),
                    "small",
                    theme.QUIET,
                ),
                kit.text(tr("Watch"), "label", theme.ACCENT),
            ],
            horizontal_alignment=ft.CrossAxisAlignment.CENTER,
            alignment=ft.MainAxisAlignment.CENTER,
            spacing=4,
        ),
        width=220,
        height=132,
        bgcolor=theme.RAISED,
        border_radius=12,
        ink=True,
        on_click=lambda: view.go(watching=screen.user),
    )
    return kit.semantics(f"watch-{name}", tile, label, button=True)


def _controls(view: View, account: Account, screen: SharedScreen) -> ft.Control:
    whole = view.place.screen == "watch"
    words = tr(
        "{name} shows {width} × {height}",
        name=names.name_of(account.knowledge, screen.user),
        width=screen.width,
        height=screen.height,
    )
    return ft.Container(
        ft.Row(
            [
                kit.line(words, "small", theme.QUIET, expand=True),
                kit.icon_button(
                    "watch-pop-out",
                    ft.Icons.OPEN_IN_NEW,
                    tr("In a window of its own"),
                    lambda: view.start(_pop_out(view, screen.user)),
                ),
                kit.icon_button(
                    "watch-whole",
                    ft.Icons.FULLSCREEN_EXIT if whole else ft.Icons.FULLSCREEN,
                    tr("Smaller") if whole else tr("Full screen"),
                    lambda: _set_whole(view, whole=not whole),
                ),
                kit.icon_button(
                    "watch-stop",
                    ft.Icons.CLOSE,
                    tr("Watch no longer"),
                    lambda: _stop(view, whole=whole),
                ),
            ],
            spacing=2,
        ),
        padding=ft.Padding.only(left=16, right=8),
    )


def _back(view: View) -> ft.Control:
    return ft.Container(
        kit.button("watch-back", tr("Back"), lambda: _stop(view, whole=True), kind="quiet"),
        padding=16,
    )


def _set_whole(view: View, *, whole: bool) -> None:
    """Fill the window, and where it is one of ours the whole screen, or do no more."""
    view.go(screen="watch" if whole else "server")
    if not view.page.web:
        view.page.window.full_screen = whole
        view.page.update()


def _stop(view: View, *, whole: bool) -> None:
    view.go(watching=None)
    if whole:
        _set_whole(view, whole=False)


async def _pop_out(view: View, user: UserId) -> None:
    view.go(watching=None)
    await view.open_beside(f"/watch/{user}", *_WINDOW)
