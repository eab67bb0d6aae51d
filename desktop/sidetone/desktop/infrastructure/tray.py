"""The icon in the system's tray; the only module that knows pystray.

Its import fails where there is no display, and so waits until somebody wants an icon. On Linux a
menu needs AppIndicator or GTK with its Python bindings; with X11 alone a click shows the client.
"""

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, get_args

from PIL import Image, ImageDraw

from sidetone.client.threads import soon
from sidetone.desktop.domain.tray import Choice, TrayState, label_of, title_of
from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Refusal, Unavailable

_SIZE: Final = 64
_WAKE_SECONDS: Final = 0.1
_TRIES_MAX: Final = 100
# As in the theme: calm, heard, not heard, waiting.
_IDLE, _HEARD, _SILENT, _UNREAD = "#8B9BFF", "#3DDC97", "#FF7B81", "#FFC45C"
_CHOICES: Final[tuple[Choice, ...]] = get_args(Choice)


class SystemTray:
    """The icon of this process; *chosen* hears, in the loop that started it, what is chosen."""

    def __init__(self, chosen: Callable[[Choice], None]) -> None:
        self._chosen = chosen
        self._state = TrayState()
        self._icon: Any = None
        self._thread: threading.Thread | None = None
        self._waker: _Waker | None = None

    async def start(self) -> None:
        """Show the icon. Raises ``Unavailable`` where the system has no place for it."""
        loop = asyncio.get_running_loop()

        def chosen(choice: Choice) -> None:
            soon(loop, self._chosen, choice)

        await asyncio.to_thread(self._start, chosen)

    async def show(self, state: TrayState) -> None:
        """Draw *state*."""
        self._state = state
        if self._icon is not None:
            await self._done(self._draw)

    async def stop(self) -> None:
        """Take the icon away; a second time does nothing."""
        icon, self._icon = self._icon, None
        if icon is not None:
            await self._done(icon.stop)
        thread, self._thread = self._thread, None
        if thread is not None:
            await self._done(thread.join)
        waker, self._waker = self._waker, None
        if waker is not None:
            waker.close()

    async def _done(self, work: Callable[[], None]) -> None:
        """Do *work* on a thread, and wake the icon's loop until it is done."""
        doing = asyncio.create_task(asyncio.to_thread(work))
        while not (await asyncio.wait([doing], timeout=_WAKE_SECONDS))[0]:
            if self._waker is not None:
                self._waker.wake()
        await doing

    def _start(self, chosen: Callable[[Choice], None]) -> None:
        if sys.platform == "darwin":
            # Its icons belong to the main thread, which is the window's.
            raise _unavailable(tr("On macOS there is no icon in the menu bar."))
        try:
            pystray = importlib.import_module("pystray")
        except Exception as error:
            # pystray lets whatever its systems raise come through.
            raise _unavailable(tr("There is no display for an icon in the tray.")) from error
        on_x11 = pystray.Icon.__module__.endswith("_xorg")
        if on_x11 and not _has_x11_tray():
            raise _unavailable(tr("This desktop has no tray for the client's icon."))
        menu = [self._item(pystray, choice, chosen) for choice in _CHOICES]
        icon = pystray.Icon(
            "sidetone", picture(self._state), title_of(self._state), pystray.Menu(*menu)
        )
        if on_x11:
            _hear_clicks(icon)
            self._waker = _Waker(icon)
        self._icon = self._run(icon)

    def _run(self, icon: Any) -> Any:  # noqa: ANN401
        """Return *icon* when its loop runs on a thread of its own and it is seen."""
        ready = threading.Event()

        def shown(icon: Any) -> None:  # noqa: ANN401 (pystray has no types)
            icon.visible = True
            ready.set()

        self._thread = threading.Thread(target=icon.run, args=(shown,), name="tray", daemon=True)
        self._thread.start()
        for _ in range(_TRIES_MAX):
            if ready.wait(_WAKE_SECONDS):
                return icon
            if self._waker is not None:
                self._waker.wake()
        raise _unavailable(tr("This desktop has no tray for the client's icon."))

    def _item(self, pystray: Any, choice: Choice, chosen: Callable[[Choice], None]) -> Any:  # noqa: ANN401
        def label(_item: Any) -> str:  # noqa: ANN401
            return label_of(choice, self._state)

        def activate(_icon: Any, _item: Any) -> None:  # noqa: ANN401
            chosen(choice)

        return pystray.MenuItem(label, activate, default=choice == "show")

    def _draw(self) -> None:
        self._icon.icon = picture(self._state)
        self._icon.title = title_of(self._state)
        self._icon.update_menu()


def picture(state: TrayState) -> Image.Image:
    """Draw *state*: the colour says whether one is heard, a dot that something waits."""
    silent = state.muted or state.deafened
    colour = (_SILENT if silent else _HEARD) if state.in_call else _IDLE
    image = Image.new("RGBA", (_SIZE, _SIZE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 4, 60, 60), fill=colour)
    draw.rounded_rectangle((26, 14, 38, 38), 6, fill="#10131A")
    draw.arc((20, 22, 44, 46), 0, 180, fill="#10131A", width=4)
    draw.line((32, 46, 32, 52), fill="#10131A", width=4)
    if silent:
        draw.line((16, 16, 48, 48), fill="#10131A", width=6)
    if state.unread:
        draw.ellipse((40, 0, 63, 23), fill=_UNREAD, outline="#10131A", width=2)
    return image


def _hear_clicks(icon: Any) -> None:  # noqa: ANN401
    """Ask the X server for clicks on *icon*, which pystray handles and forgets to ask for."""
    x = importlib.import_module("Xlib.X")
    mask = x.ExposureMask | x.StructureNotifyMask | x.ButtonPressMask
    icon._window.change_attributes(event_mask=mask)  # noqa: SLF001 (there is no other way in)


def _ignored(_error: Any, _request: Any) -> None:  # noqa: ANN401
    pass


class _Waker:
    """Wakes the loop of an icon under X11.

    Xlib lets the thread that sends read what the loop waits for, and the loop then waits on. An
    event from another connection, which means nothing, makes it look again.
    """

    def __init__(self, icon: Any) -> None:  # noqa: ANN401
        event = importlib.import_module("Xlib.protocol.event")
        self._display = importlib.import_module("Xlib.display").Display()
        # The icon may be gone already.
        self._display.set_error_handler(_ignored)
        window_id = icon._window.id  # noqa: SLF001
        self._window = self._display.create_resource_object("window", window_id)
        atom = self._display.intern_atom("_SIDETONE_WAKE")
        self._message = event.ClientMessage(
            window=self._window, client_type=atom, data=(32, [0] * 5)
        )

    def wake(self) -> None:
        """Make the loop look at what waits for it."""
        self._window.send_event(self._message)
        self._display.sync()

    def close(self) -> None:
        """Let go of the connection."""
        self._display.close()


def _has_x11_tray() -> bool:
    """Tell whether somebody takes icons in (freedesktop.org's System Tray Protocol)."""
    display = importlib.import_module("Xlib.display").Display()
    try:
        atom = display.intern_atom(f"_NET_SYSTEM_TRAY_S{display.get_default_screen()}")
        return bool(display.get_selection_owner(atom))
    finally:
        display.close()


def _unavailable(detail: str) -> Refusal:
    return Unavailable("tray_missing", detail)
