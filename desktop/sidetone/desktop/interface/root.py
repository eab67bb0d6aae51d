"""The window as a whole: which screen stands in it."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import language
from sidetone.desktop.interface import channel_list, hooks, server_rail
from sidetone.desktop.interface.channel_list import ChannelList
from sidetone.desktop.interface.chat.chat_pane import ChatPane
from sidetone.desktop.interface.friends import FriendsPane
from sidetone.desktop.interface.hooks import Kept
from sidetone.desktop.interface.member_list import MemberList
from sidetone.desktop.interface.overlay import OverlayView
from sidetone.desktop.interface.people.people_list import PeopleList
from sidetone.desktop.interface.server_rail import ServerRail
from sidetone.desktop.interface.servers.settings_view import ServerSettings
from sidetone.desktop.interface.settings.settings_view import SettingsView
from sidetone.desktop.interface.sign_in_view import SignInView
from sidetone.desktop.interface.start_view import StartView
from sidetone.desktop.interface.trouble_bar import TroubleBar
from sidetone.desktop.interface.update_bar import UpdateBar
from sidetone.desktop.interface.view import View
from sidetone.desktop.interface.voice.incoming import IncomingCalls
from sidetone.desktop.interface.voice.page_keys import WithKeys
from sidetone.desktop.interface.voice.panel import VoicePanel
from sidetone.desktop.interface.voice.screens import SharedScreens, WholeScreen


@ft.component
def Root(view: View) -> ft.Control:
    """Draw everything anew when the words change, and what is in it as it needs."""
    view.watch(Topic("language"))
    return hooks.keyed(language(), Screens, view)


@ft.component
def Screens(view: View) -> ft.Control:
    """Draw the screen that the window is at."""
    view.watch(Topic("place"), Topic("accounts"))
    kept = hooks.kept()
    view.settle()
    if view.place.screen == "overlay":
        return OverlayView(view)
    if view.place.screen == "watch":
        return WholeScreen(view)
    if view.place.screen == "start":
        return StartView(view)
    if view.place.screen in _SETTINGS and view.account is not None:
        return kept.use(view.place.screen, WithKeys, view, _SETTINGS[view.place.screen])
    if view.place.screen == "sign_in" or view.account is None:
        return SignInView(view)
    return kept.use("home", WithKeys, view, _HOME)


@ft.component
def Home(view: View) -> ft.Control:
    """Draw where one talks and writes, and who calls above it."""
    view.watch(Topic("place"), Topic("accounts"))
    kept = hooks.kept()
    columns = [
        _left(view, kept),
        ft.Column(
            [kept.use("screens", SharedScreens, view), _middle(view, kept)],
            expand=True,
            spacing=0,
        ),
    ]
    if _lists_members(view):
        columns.append(kept.use(f"members-{view.place.server}", MemberList, view))
    stretch = ft.CrossAxisAlignment.STRETCH
    home = ft.Column(
        [
            kept.use("trouble", TroubleBar, view),
            kept.use("update", UpdateBar, view),
            ft.Row(columns, expand=True, spacing=0, vertical_alignment=stretch),
        ],
        spacing=0,
    )
    return ft.Stack([home, kept.use("calls", IncomingCalls, view)], fit=ft.StackFit.EXPAND)


def _lists_members(view: View) -> bool:
    """Tell whether members are listed: in a conversation of two one knows who is there.

    A thread takes their room, as the other panels do.
    """
    if view.place.panel != "members" or view.place.thread is not None:
        return False
    server, account = view.place.server, view.account
    community = account.knowledge.communities.get(server) if account and server else None
    return community is not None and community.server.kind != "direct"


def _middle(view: View, kept: Kept) -> ft.Control:
    if view.place.screen == "friends" and view.place.channel is None:
        return kept.use("friends", FriendsPane, view)
    return kept.use(f"chat-{view.place.channel}", ChatPane, view)


def _left(view: View, kept: Kept) -> ft.Control:
    """Return where one goes, and below it the call and oneself, on every screen."""
    places = (
        kept.use("people", PeopleList, view)
        if view.place.screen == "friends"
        else kept.use(f"channels-{view.place.server}", ChannelList, view)
    )
    return ft.Column(
        [
            ft.Row(
                [kept.use("rail", ServerRail, view), places],
                expand=True,
                spacing=0,
                vertical_alignment=ft.CrossAxisAlignment.STRETCH,
            ),
            kept.use("voice", VoicePanel, view),
        ],
        spacing=0,
        width=server_rail.WIDTH + channel_list.WIDTH,
    )


_HOME = hooks.memo(Home)
_SETTINGS = {
    "settings": hooks.memo(SettingsView),
    "server_settings": hooks.memo(ServerSettings),
}
