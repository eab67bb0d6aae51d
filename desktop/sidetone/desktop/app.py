"""What the client is made of: what outlives its windows, and what one window shows.

The process around it is in ``__main__``, which imports this when the page is there already.
"""

import asyncio
import os
from pathlib import Path

import flet as ft

from sidetone.desktop.application.machine import Machine
from sidetone.desktop.application.program import Core
from sidetone.desktop.application.sign_in import remember_logins, sign_in_again
from sidetone.desktop.domain.place import place_at
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.desktop.domain.wording import Language, language, speak
from sidetone.desktop.infrastructure.catalogues import load, system_language
from sidetone.desktop.infrastructure.hotkeys import DesktopKeys
from sidetone.desktop.infrastructure.keyring_secrets import open_secrets
from sidetone.desktop.infrastructure.loopback import Loopback
from sidetone.desktop.infrastructure.preferences_file import PreferencesFile
from sidetone.desktop.infrastructure.ringing import EngineRinger
from sidetone.desktop.infrastructure.sound_devices import Devices
from sidetone.desktop.infrastructure.sound_loop import EngineLoop
from sidetone.desktop.infrastructure.system_fonts import system_fonts
from sidetone.desktop.interface import keys
from sidetone.desktop.interface.drawing import keep_drawing
from sidetone.desktop.interface.follow_link import follow_link
from sidetone.desktop.interface.looks import dress
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
        core.listen(self)

    async def open_window(self, page: ft.Page, link: str = "") -> View:
        """Show the client on *page*: where *link* leads, or where the user is signed in."""
        page.title = "Sidetone"
        page.padding = 0
        dress(page, self.core.preferences.current.appearance)
        place = place_at(page.route, next(iter(self.core.accounts), None))
        view = View(self.core, page, place, link, Loopback())
        page.render(Root, view)
        keep_drawing(page, view.drawing_failed)
        drawing = asyncio.ensure_future(view.keep_drawn())
        page.on_close = drawing.cancel
        await ft.BrowserContextMenu().disable()
        # Ten megabytes: after what one sees first.
        page.fonts = self._fonts
        page.update()
        keys.listen(view)
        if link:
            view.start(follow_link(view, link))
        if self._notice:
            view.notice(self._notice)
            self._notice = ""
        return view

    def told(self, changed: Topics) -> None:
        """Speak the language that is set from now on."""
        if Topic("preferences") in changed and language() != wished_language(self.core):
            speak(load(wished_language(self.core)))
            self.core.told(topics(Topic("language")))

    async def close(self) -> None:
        """Let go of everything."""
        self._entering.cancel()
        await self.core.close()


def wished_language(core: Core) -> Language:
    """Return the language that is set, or else that of the system."""
    wished = core.preferences.current.language
    return system_language() if wished == "system" else wished


async def compose(folder: Path) -> App:
    """Return the client whose keys and settings are in *folder*, signing in as last time."""
    store = PreferencesFile(folder / "preferences.json")
    set_now, problem = await asyncio.to_thread(store.load)
    keyring, notice = await asyncio.to_thread(open_secrets, folder)
    devices = Devices(
        os.environ.get("SIDETONE_MICROPHONE", ""), os.environ.get("SIDETONE_SPEAKER", "")
    )
    machine = Machine(devices, EngineRinger(devices), DesktopKeys(), EngineLoop(devices))
    core = Core(folder, keyring, SystemClock(), store, set_now, machine)
    core.preferences.problem = problem
    speak(await asyncio.to_thread(load, wished_language(core)))
    await remember_logins(core)
    return App(core, await asyncio.to_thread(system_fonts), notice)
