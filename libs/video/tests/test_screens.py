"""Real captures of a real X server."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest

from libs.video.tests.display import put, virtual_display
from sidetone.video import Pixels, Size, VideoError
from sidetone.video.capture import Monitor, TestCard, Window
from sidetone.video.screens import list_screens, open_capture
from sidetone.video.test_card import TestCardCapture

xlib = pytest.importorskip("Xlib.display", reason="python-xlib draws on the display")

SIZE = Size(800, 600)


@pytest.fixture(scope="module")
def display_name() -> Iterator[str]:
    with virtual_display(SIZE) as name:
        yield name


@pytest.fixture
def desktop(display_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator["Desktop"]:
    monkeypatch.setenv("DISPLAY", display_name)
    monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
    desktop = Desktop(display_name)
    yield desktop
    desktop.server.close()


class Desktop:
    """Windows, and the list of them that a window manager keeps."""

    def __init__(self, name: str) -> None:
        self.server = xlib.Display(name)
        self.root = self.server.screen().root
        self.windows = []

    def window(self, title: str, pixels: Pixels, left: int, top: int):  # noqa: ANN201
        height, width = pixels.shape[:2]
        window = self.root.create_window(left, top, width, height, 0, 24, background_pixel=0)
        if title.isascii():
            window.set_wm_name(title)
        else:
            name = self.server.intern_atom("_NET_WM_NAME")
            window.change_property(name, self.server.intern_atom("UTF8_STRING"), 8, title.encode())
        window.map()
        put(window, window.create_gc(), pixels)
        self.windows.append(window)
        self._list()
        return window

    def close(self, window) -> None:  # noqa: ANN001
        window.destroy()
        self.windows.remove(window)
        self._list()

    def _list(self) -> None:
        atom = self.server.intern_atom("_NET_CLIENT_LIST")
        ids = [window.id for window in self.windows]
        self.root.change_property(atom, 33, 32, ids)
        self.server.sync()


def card(width: int, height: int) -> Pixels:
    return TestCardCapture(Size(width, height), moves=False).grab()


def test_monitors_and_windows_are_listed_with_their_sizes(desktop: Desktop) -> None:
    window = desktop.window("Notes — übung", card(400, 300), 0, 0)
    screens = list_screens()
    assert Monitor(1) in [screen.subject for screen in screens]
    assert next(s.size for s in screens if s.subject == Monitor(1)) == SIZE
    found = [(s.title, s.size) for s in screens if s.subject == Window(window.id)]
    assert found == [("Notes — übung", Size(400, 300))]


def test_a_monitor_is_captured_as_it_is(desktop: Desktop) -> None:
    pixels = card(*SIZE)
    desktop.window("All", pixels, 0, 0)
    with contextlib.closing(open_capture(Monitor(1))) as capture:
        grabbed = capture.grab()
    assert grabbed.shape == pixels.shape
    # But for the pointer, where the server draws one.
    assert np.mean(np.any(grabbed[:, :, :3] != pixels[:, :, :3], axis=2)) < 0.002


def test_a_window_is_captured_alone_and_follows_its_size(desktop: Desktop) -> None:
    pixels = card(400, 200)
    window = desktop.window("One", pixels, 50, 60)
    with contextlib.closing(open_capture(Window(window.id))) as capture:
        assert np.array_equal(capture.grab()[:, :, :3], pixels[:, :, :3])
        window.configure(width=500, height=240)
        desktop.server.sync()
        assert capture.grab().shape == (240, 500, 4)
        desktop.close(window)
        with pytest.raises(VideoError, match="closed or minimised"):
            capture.grab()


def test_a_monitor_that_is_not_there_is_refused(desktop: Desktop) -> None:
    with pytest.raises(VideoError, match="monitor 9 is not there"):
        open_capture(Monitor(9))


def test_wayland_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("XDG_SESSION_TYPE", "wayland")
    for look in (list_screens, lambda: open_capture(Window(1))):
        with pytest.raises(VideoError, match="Wayland") as caught:
            look()
        assert "\n" not in str(caught.value)


def test_a_server_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":9999")
    monkeypatch.setenv("XDG_SESSION_TYPE", "x11")
    for look in (list_screens, lambda: open_capture(Window(1))):
        with pytest.raises(VideoError):
            look()


def test_the_card_needs_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    capture = open_capture(TestCard(SIZE))
    assert capture.grab().shape == (600, 800, 4)
