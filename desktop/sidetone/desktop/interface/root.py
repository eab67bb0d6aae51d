"""The window as a whole: which screen stands in it."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.interface import channel_list, hooks, server_rail
from sidetone.desktop.interface.channel_list import ChannelList
from sidetone.desktop.interface.chat import ChatPane
from sidetone.desktop.interface.member_list import MemberList
from sidetone.desktop.interface.overlay import OverlayView
from sidetone.desktop.interface.server_rail import ServerRail
from sidetone.desktop.interface.sign_in_view import SignInView
from sidetone.desktop.interface.trouble_bar import TroubleBar
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.incoming import IncomingCalls
from sidetone.desktop.interface.voice.panel import VoicePanel
from sidetone.desktop.interface.voice.screens import SharedScreens, WholeScreen


@ft.component
def Root(view: View) -> ft.Control:
    """Draw the screen that the window is at."""
    view.watch(Topic("place"), Topic("accounts"))
    if view.place.screen == "overlay":
        return OverlayView(view)
    if view.place.screen == "watch":
        return WholeScreen(view)
    if view.place.screen == "sign_in" or view.account is None:
        return SignInView(view)
    return ft.Stack([_screens(view), IncomingCalls(view)], expand=True)


def _screens(view: View) -> ft.Control:
    return ft.Column(
        [
            TroubleBar(view),
            ft.Row(
                [
                    _left(view),
                    ft.Column(
                        [
                            SharedScreens(view),
                            hooks.keyed(f"chat-{view.place.channel}", ChatPane, view),
                        ],
                        expand=True,
                        spacing=0,
                    ),
                    *(
                        [hooks.keyed(f"members-{view.place.server}", MemberList, view)]
                        if view.place.panel == "members"
                        else []
                    ),
                ],
                expand=True,
                spacing=0,
                vertical_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
        ],
        expand=True,
        spacing=0,
    )


def _left(view: View) -> ft.Control:
    """Return where one goes, and below it the call and oneself, on every screen."""
    return ft.Column(
        [
            ft.Row(
                [
                    ServerRail(view),
                    hooks.keyed(f"channels-{view.place.server}", ChannelList, view),
                ],
                expand=True,
                spacing=0,
                vertical_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            VoicePanel(view),
        ],
        spacing=0,
        width=server_rail.WIDTH + channel_list.WIDTH,
    )
