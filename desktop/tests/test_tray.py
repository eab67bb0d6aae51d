"""An icon that a real X server shows, in a tray of the test's own."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from desktop.tests.displays import virtual_display
from sidetone.desktop.domain.tray import Choice, TrayState, label_of, title_of
from sidetone.desktop.infrastructure.tray import SystemTray, picture
from sidetone.protocol.refusals import Unavailable

linux = pytest.mark.skipif(sys.platform != "linux", reason="an X server is Linux's")


class Tray:
    """A tray as desktops have it: takes in icons that ask for it, on a thread."""

    def __init__(self, name: str) -> None:
        from Xlib import X, display

        self._x = X
        self._display: Any = display.Display(name)
        root = self._display.screen().root
        self.window = root.create_window(0, 0, 64, 64, 0, X.CopyFromParent)
        self.window.map()
        selection = self._display.intern_atom("_NET_SYSTEM_TRAY_S0")
        self.window.set_selection_owner(selection, X.CurrentTime)
        self._display.sync()
        self.docked = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended:
            event = self._display.next_event()
            if event.type == self._x.ClientMessage and not self.docked.is_set():
                icon = self._display.create_resource_object("window", event.data[1][2])
                icon.reparent(self.window, 0, 0)
                icon.configure(width=64, height=64)
                icon.map()
                self._display.sync()
                self.docked.set()

    def close(self, name: str) -> None:
        from Xlib import display
        from Xlib.protocol.event import ClientMessage

        self._ended = True
        poke = display.Display(name)
        window = poke.create_resource_object("window", self.window.id)
        message = ClientMessage(
            window=window, client_type=poke.intern_atom("ENOUGH"), data=(32, [0] * 5)
        )
        window.send_event(message)
        poke.sync()
        poke.close()
        self._thread.join(10)
        self._display.close()


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    with virtual_display() as name:
        yield name


@pytest.fixture
def tray(display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tray]:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("PYSTRAY_BACKEND", "xorg")
    tray = Tray(display)
    yield tray
    tray.close(display)


class Shown:
    def __init__(self) -> None:
        self.chosen: asyncio.Queue[Choice] = asyncio.Queue()
        self.icon = SystemTray(self.chosen.put_nowait)


@pytest.fixture
async def shown(tray: Tray) -> AsyncIterator[Shown]:
    shown = Shown()
    await shown.icon.start()
    yield shown
    await shown.icon.stop()
    await shown.icon.stop()


def colour_at(name: str, x: int, y: int) -> tuple[int, int, int]:
    from Xlib import X, display

    looking = display.Display(name)
    try:
        pixel = looking.screen().root.get_image(x, y, 1, 1, X.ZPixmap, 0xFFFFFF).data
    finally:
        looking.close()
    return pixel[2], pixel[1], pixel[0]


async def until(display: str, colour: tuple[int, int, int]) -> None:
    """Wait until the icon has *colour*, where nothing else is drawn over it."""
    while await asyncio.to_thread(colour_at, display, 12, 32) != colour:  # noqa: ASYNC110
        await asyncio.sleep(0.01)  # the X server tells nobody that a picture is drawn


@linux
async def test_the_icon_is_docked_and_shows_the_state(
    tray: Tray, display: str, shown: Shown
) -> None:
    assert await asyncio.to_thread(tray.docked.wait, 10)
    await until(display, (0x8B, 0x9B, 0xFF))
    await shown.icon.show(TrayState(in_call=True))
    await until(display, (0x3D, 0xDC, 0x97))
    await shown.icon.show(TrayState(in_call=True, muted=True))
    await until(display, (0xFF, 0x7B, 0x81))


@linux
async def test_a_click_shows_the_client(tray: Tray, display: str, shown: Shown) -> None:
    assert await asyncio.to_thread(tray.docked.wait, 10)
    await until(display, (0x8B, 0x9B, 0xFF))
    click = ["xdotool", "mousemove", "32", "32", "click", "1"]
    await asyncio.to_thread(subprocess.run, click, check=True, timeout=20)
    assert await shown.chosen.get() == "show"


@linux
async def test_a_desktop_without_a_tray_is_said(
    display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.setenv("PYSTRAY_BACKEND", "xorg")
    icon = SystemTray(lambda _: None)
    with pytest.raises(Unavailable, match="no tray"):
        await icon.start()
    await icon.show(TrayState(unread=True))
    await icon.stop()


def test_every_state_looks_different_and_has_words() -> None:
    states = [
        TrayState(in_call=call, muted=muted, unread=unread)
        for call in (False, True)
        for muted in (False, True)
        for unread in (False, True)
    ]
    assert len({picture(state).tobytes() for state in states}) == len(states)
    choices: tuple[Choice, ...] = ("show", "mute", "deafen", "quit")
    for state in (TrayState(), TrayState(True, True, True, True)):
        assert title_of(state)
        assert len({label_of(choice, state) for choice in choices}) == len(choices)
