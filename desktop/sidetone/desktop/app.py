"""What the client is made of: what outlives its windows, and what one window shows.

The process around it is in ``__main__``, which imports this when the page is there already.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flet as ft
import msgspec

from sidetone.desktop.application.arrivals import Arrivals
from sidetone.desktop.application.keep_tray import KeepTray
from sidetone.desktop.application.logins import Logins
from sidetone.desktop.application.look_for_updates import LookForUpdates
from sidetone.desktop.application.machine import Machine
from sidetone.desktop.application.notify import Notify
from sidetone.desktop.application.program import Core
from sidetone.desktop.application.sign_in import remember_logins, sign_in_again
from sidetone.desktop.domain.notifying import News
from sidetone.desktop.domain.place import Place, place_at
from sidetone.desktop.domain.topics import Topic, Topics, topics
from sidetone.desktop.domain.tray import Choice, TrayState
from sidetone.desktop.domain.wording import Language, language, speak
from sidetone.desktop.infrastructure.catalogues import load, system_language
from sidetone.desktop.infrastructure.diagnostics_file import DiagnosticsFile
from sidetone.desktop.infrastructure.flet_costs import spare
from sidetone.desktop.infrastructure.hotkeys import DesktopKeys
from sidetone.desktop.infrastructure.importing import beside_the_loop, imported, imported_whole
from sidetone.desktop.infrastructure.keyring_secrets import open_secrets
from sidetone.desktop.infrastructure.log_file import log_to, set_level
from sidetone.desktop.infrastructure.logins_file import LOGINS_FILE, LoginsFile
from sidetone.desktop.infrastructure.loopback import Loopback
from sidetone.desktop.infrastructure.outbox_folder import OutboxFolder
from sidetone.desktop.infrastructure.preferences_file import PreferencesFile
from sidetone.desktop.infrastructure.ringing import EngineRinger
from sidetone.desktop.infrastructure.sound_devices import Devices
from sidetone.desktop.infrastructure.sound_loop import EngineLoop
from sidetone.desktop.infrastructure.system_fonts import system_fonts
from sidetone.desktop.infrastructure.system_notices import SystemNotices, ready_notices
from sidetone.desktop.infrastructure.tray import SystemTray
from sidetone.desktop.infrastructure.updates_http import (
    SeenVersionFile,
    UpdatesHttp,
    installation,
    release,
)
from sidetone.desktop.interface import keys
from sidetone.desktop.interface.follow_link import follow_link
from sidetone.desktop.interface.keep_open import keep_open
from sidetone.desktop.interface.looks import dress
from sidetone.desktop.interface.overlay_window import OverlayWindow
from sidetone.desktop.interface.root import Root
from sidetone.desktop.interface.view import View
from sidetone.runtime.clock import SystemClock

_FIRST_SCREEN_SECONDS = 3.0
# New objects of each generation, of which almost none are left for the collector.
_COLLECTED_AFTER = (2_000, 10, 100)


class App:
    """The client as a process: one core, any number of windows."""

    def __init__(
        self, core: Core, arrivals: Arrivals, fonts: dict[str, Path], notice: str
    ) -> None:
        self.core = core
        self._arrivals = arrivals
        self._views: list[View] = []
        self._notify = Notify(
            SystemNotices(self._open_place), core.preferences, core.clock, self._looked_at
        )
        core.hear(self._notify.heard)
        self._looking = asyncio.create_task(self._look_for_updates())
        # What opens one more window at a route; the process sets it.
        self.show: Callable[[str], None] = lambda _: None
        self._tray = KeepTray(SystemTray(self._chosen), self._tray_state)
        core.listen(self._tray)
        self._overlay = OverlayWindow(core.preferences)
        self._fonts = {family: f"/fonts/{family}" for family in fonts}
        self._notice = notice
        self._entering = asyncio.create_task(sign_in_again(core))
        self._readying = asyncio.create_task(_ready_screens())
        core.listen(self)
        asyncio.get_running_loop().set_exception_handler(self._beside_failed)

    async def open_window(self, page: ft.Page, route: str, link: str, *, follow: bool) -> View:
        """Show the client on *page* at *route*, where *link* leads, or where one is signed in.

        A page that is loaded again does not *follow* it again; nor does one of its own kind.
        """
        page.title = "Sidetone"
        page.padding = 0
        dress(page, self.core.preferences.current.appearance)
        place = place_at(route, next(iter(self.core.accounts), None))
        view = View(self.core, page, place, link, Loopback(), self._arrivals)
        view.show = self.show
        page.render(Root, view)
        keep_open(page, view.failed)
        drawing = asyncio.ensure_future(view.keep_drawn())
        self._views.append(view)

        def gone() -> None:
            drawing.cancel()
            self._views.remove(view)

        def away() -> None:
            view.focused = False

        page.on_close, page.on_disconnect = gone, away
        await ft.BrowserContextMenu().disable()
        # Ten megabytes: after what one sees first.
        page.fonts = self._fonts
        page.update()
        keys.listen(view)
        if link and follow and place.screen not in {"overlay", "watch"}:
            view.start(follow_link(view, link))
        if self._notice:
            view.notice(self._notice)
            self._notice = ""
        self._overlay.follow(self._views)
        return view

    def told(self, changed: Topics) -> None:
        """Speak the language and log as much as is set from now on."""
        if Topic("preferences") in changed:
            set_level(self.core.preferences.current.log_level)
            self._overlay.follow(self._views)
        if Topic("preferences") in changed and language() != wished_language(self.core):
            speak(load(wished_language(self.core)))
            self.core.told(topics(Topic("language")))

    async def close(self) -> None:
        """Let go of everything."""
        asyncio.get_running_loop().set_exception_handler(None)
        self._entering.cancel()
        self._readying.cancel()
        self._looking.cancel()
        await asyncio.gather(self._notify.close(), self._tray.close())
        await self.core.close()

    def _beside_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log what failed beside the windows, and say so in them: it is not done again.

        Connections that break are everyday, and whoever uses them knows.
        """
        loop.default_exception_handler(context)
        error = context.get("exception")
        if isinstance(error, Exception) and not isinstance(error, OSError):
            for view in self._views:
                view.failed(error)

    def _tray_state(self) -> TrayState:
        """Return how things stand for the icon."""
        voice = self.core.voice
        unread = any(
            account.knowledge.waiting(server)[0]
            for account in self.core.accounts.values()
            for server in account.knowledge.communities
        )
        return TrayState(voice.phase != "none", voice.muted, voice.deafened, unread)

    def _chosen(self, choice: Choice) -> None:
        """Do what was chosen at the icon."""
        voice = self.core.voice
        match choice:
            case "show":
                self.show("/")
            case "mute":
                voice.set_muted(muted=not voice.muted)
            case "deafen":
                voice.set_deafened(deafened=not voice.deafened)
            case "quit":
                signal.raise_signal(signal.SIGTERM)

    def _open_place(self, place: Place) -> None:
        """Go where a notice leads, in the window that was opened last."""
        for view in self._views[-1:]:
            view.go(**msgspec.structs.asdict(place))
            if place.channel is not None and view.account is not None:
                view.open_channel(view.account, place.channel)

    def _looked_at(self, news: News) -> bool:
        """Tell whether somebody looks at what *news* is about."""
        channel = news.place.channel
        return channel is not None and any(
            view.focused and view.place.channel == channel for view in self._views
        )

    async def _look_for_updates(self) -> None:
        if self.core.updates is not None:
            await self.core.updates.run(
                lambda: self.core.preferences.current.privacy.looks_for_updates
            )


def wished_language(core: Core) -> Language:
    """Return the language that is set, or else that of the system."""
    wished = core.preferences.current.language
    return system_language() if wished == "system" else wished


async def _ready_screens() -> None:
    """Import what later screens are made of before somebody waits for it, and after the first.

    The first of them asks a server how to sign in.
    """
    for name in ("httpcore", "anyio._backends._asyncio"):
        await imported(name)
    await asyncio.sleep(_FIRST_SCREEN_SECONDS)
    await imported_whole("flet")
    await imported("segno")
    # What is there by now stays. A full round of the collector over it holds a window for 0.1 s;
    # over what comes later it is short, and rare: almost nothing is left for it.
    gc.freeze()
    gc.set_threshold(*_COLLECTED_AFTER)


async def compose(folder: Path, arrivals: Arrivals) -> App:
    """Return the client whose keys and settings are in *folder*, signing in as last time.

    *arrivals* is where windows of a browser leave files.
    """
    spare()
    store = PreferencesFile(folder / "preferences.json")
    set_now, problem = await asyncio.to_thread(store.load)
    await asyncio.to_thread(log_to, folder / "logs", set_now.log_level)
    keyring, notice = await asyncio.to_thread(open_secrets, folder)
    devices = Devices(
        os.environ.get("SIDETONE_MICROPHONE", ""), os.environ.get("SIDETONE_SPEAKER", "")
    )
    machine = Machine(
        devices,
        EngineRinger(devices),
        DesktopKeys(),
        EngineLoop(devices),
        DiagnosticsFile(folder / "logs"),
        lambda user: OutboxFolder(folder / "outbox" / str(user)),
    )
    clock = SystemClock()
    logins = Logins(keyring, LoginsFile(folder / LOGINS_FILE))
    core = Core(folder, logins, clock, store, set_now, machine)
    core.preferences.problem = problem
    known = await asyncio.to_thread(release)
    if known is not None:
        seen = SeenVersionFile(folder / "newest-version")
        source = UpdatesHttp(known.manifest_url)
        core.updates = LookForUpdates(installation(known), source, seen, clock, core.told)
    speak(await asyncio.to_thread(load, wished_language(core)))
    await remember_logins(core)
    await beside_the_loop(ready_notices)
    return App(core, arrivals, await asyncio.to_thread(system_fonts), notice)
