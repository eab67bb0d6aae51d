"""What the client is made of: what outlives its windows, and what one window shows.

The process around it is in ``__main__``, which imports this when the page is there already.
"""

import asyncio
import os
from pathlib import Path

import flet as ft

from sidetone.desktop.application.core import Core
from sidetone.desktop.application.sign_in import sign_in_again
from sidetone.desktop.application.sound_devices import Sound
from sidetone.desktop.domain.place import place_at
from sidetone.desktop.infrastructure.keyring_secrets import open_secrets
from sidetone.desktop.infrastructure.preferences_file import PreferencesFile
from sidetone.desktop.infrastructure.ringing import EngineRinger
from sidetone.desktop.infrastructure.sound_devices import Devices
from sidetone.desktop.infrastructure.system_fonts import system_fonts
from sidetone.desktop.interface import theme
from sidetone.desktop.interface.root import Root
from sidetone.desktop.interface.view import View
from sidetone.runtime.clock import SystemClock


class App:
    """The client as a process: one core, any number of windows."""

    def __init__(self, core: Core, fonts: dict[str, Path], notice: str) -> None:
        self.core = core
        self._fonts = {family: f"/fonts/{family}" for family in fonts}
        self._notice = notice
        self._entering = asyncio.create_task(sign_in_again(core))

    async def open_window(self, page: ft.Page, link: str = "") -> View:
        """Show the client on *page*: where *link* leads, or where the user is signed in."""
        page.title = "Sidetone"
        page.padding = 0
        page.theme_mode = ft.ThemeMode.DARK
        page.dark_theme = theme.theme_of(theme.DARK)
        page.theme = theme.theme_of(theme.LIGHT)
        page.bgcolor = theme.RAIL
        view = View(
            self.core, page, place_at(page.route, next(iter(self.core.accounts), None)), link
        )
        page.render(Root, view)
        drawing = asyncio.ensure_future(view.keep_drawn())
        page.on_close = drawing.cancel
        await ft.BrowserContextMenu().disable()
        # Ten megabytes: after what one sees first.
        page.fonts = self._fonts
        page.update()
        if self._notice:
            view.notice(self._notice)
            self._notice = ""
        return view

    async def close(self) -> None:
        """Let go of everything."""
        self._entering.cancel()
        await self.core.close()


async def compose(folder: Path) -> App:
    """Return the client whose keys and settings are in *folder*, signing in as last time."""
    store = PreferencesFile(folder / "preferences.json")
    set_now, problem = await asyncio.to_thread(store.load)
    keyring, notice = await asyncio.to_thread(open_secrets, folder)
    devices = Devices(
        os.environ.get("SIDETONE_MICROPHONE", ""), os.environ.get("SIDETONE_SPEAKER", "")
    )
    sound = Sound(devices, EngineRinger(devices))
    core = Core(folder, keyring, SystemClock(), store, set_now, sound)
    core.preferences.problem = problem
    return App(core, await asyncio.to_thread(system_fonts), notice)
