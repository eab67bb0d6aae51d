"""The window as a whole: which screen stands in it."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.interface import hooks
from sidetone.desktop.interface.channel_list import ChannelList
from sidetone.desktop.interface.chat import ChatPane
from sidetone.desktop.interface.member_list import MemberList
from sidetone.desktop.interface.server_rail import ServerRail
from sidetone.desktop.interface.sign_in_view import SignInView
from sidetone.desktop.interface.trouble_bar import TroubleBar
from sidetone.desktop.interface.view import View


@ft.component
def Root(view: View) -> ft.Control:
    """Draw the screen that the window is at."""
    view.watch(Topic("place"), Topic("accounts"))
    if view.place.screen == "sign_in" or view.account is None:
        return SignInView(view)
    return ft.Column(
        [
            TroubleBar(view),
            ft.Row(
                [
                    ServerRail(view),
                    hooks.keyed(f"channels-{view.place.server}", ChannelList, view),
                    hooks.keyed(f"chat-{view.place.channel}", ChatPane, view),
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
