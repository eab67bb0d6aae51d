"""The settings as a screen: their parts at the left, the open one beside."""

from collections.abc import Callable
from typing import NamedTuple

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks
from sidetone.desktop.interface.sections import Section, sectioned
from sidetone.desktop.interface.settings.account_page import AccountPage
from sidetone.desktop.interface.settings.advanced_page import AdvancedPage
from sidetone.desktop.interface.settings.appearance_page import AppearancePage
from sidetone.desktop.interface.settings.devices_page import DevicesPage
from sidetone.desktop.interface.settings.keys_page import KeysPage
from sidetone.desktop.interface.settings.notifications_page import NotificationsPage
from sidetone.desktop.interface.settings.privacy_page import PrivacyPage
from sidetone.desktop.interface.settings.sessions_page import SessionsPage
from sidetone.desktop.interface.settings.sound_page import SoundPage
from sidetone.desktop.interface.view import View

_PAGE_WIDTH = 680


class _Section(NamedTuple):
    name: str
    title: str
    icon: ft.IconData
    page: Callable[[View], ft.Control]


def _sections() -> list[_Section]:
    return [
        _Section("account", tr("Account"), ft.Icons.PERSON, AccountPage),
        _Section("sessions", tr("Sessions"), ft.Icons.DEVICES, SessionsPage),
        _Section("devices", tr("Devices and keys"), ft.Icons.KEY, DevicesPage),
        _Section("sound", tr("Voice and sound"), ft.Icons.MIC, SoundPage),
        _Section("keys", tr("Keys"), ft.Icons.KEYBOARD, KeysPage),
        _Section("notifications", tr("Notifications"), ft.Icons.NOTIFICATIONS, NotificationsPage),
        _Section("appearance", tr("Appearance and language"), ft.Icons.PALETTE, AppearancePage),
        _Section("privacy", tr("Privacy and streaming"), ft.Icons.SHIELD, PrivacyPage),
        _Section("advanced", tr("Advanced"), ft.Icons.BUILD, AdvancedPage),
    ]


@ft.component
def SettingsView(view: View) -> ft.Control:
    """Draw the list of parts and the open part."""
    view.watch(Topic("place"))
    sections = _sections()
    names = [each.name for each in sections]
    open_ = sections[names.index(view.place.section) if view.place.section in names else 0]
    return sectioned(
        view,
        tr("Settings"),
        [Section(each.name, f"settings-{each.name}", each.title, each.icon) for each in sections],
        open_.name,
        hooks.keyed(open_.name, open_.page, view),
        _PAGE_WIDTH,
    )
