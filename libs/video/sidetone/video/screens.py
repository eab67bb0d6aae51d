"""What this machine can show, and the captures of it. The only module that imports mss."""

import os
import sys
from typing import Any

import numpy as np
from mss import MSS
from mss.exception import ScreenShotError

from sidetone.video import Pixels, Size, VideoError
from sidetone.video.capture import Capture, Monitor, Screen, Subject, TestCard, Window
from sidetone.video.test_card import TestCardCapture
from sidetone.video.windows import WindowCapture, list_windows

_NO_DISPLAY = "there is no display to show: DISPLAY is not set; start the client in a desktop"
_WAYLAND = (
    "this desktop runs on Wayland, which lets no program look at the screen this way; "
    "log in to an X11 session to show it"
)


def list_screens() -> list[Screen]:
    """Return the monitors, and on X11 the windows, that can be shown. Takes some milliseconds.

    Raises ``VideoError`` where nothing can.
    """
    mss = _open()
    try:
        every = _monitors(mss)
    finally:
        mss.close()
    # The first is all of them together, which is of use only where no single one is known.
    first = min(1, len(every) - 1)
    screens = [
        Screen(
            Monitor(number),
            str(monitor.get("name") or f"Monitor {number}"),
            Size(monitor["width"], monitor["height"]),
        )
        for number, monitor in enumerate(every[first:], start=first)
    ]
    return screens + (list_windows() if sys.platform == "linux" else [])


def open_capture(subject: Subject) -> Capture:
    """Return what takes pictures of *subject*. Raises ``VideoError`` if it cannot be seen."""
    match subject:
        case TestCard(size, moves):
            return TestCardCapture(Size(*size), moves=moves)
        case Window(window):
            _check_desktop()
            return WindowCapture(window)
        case Monitor(number):
            return MonitorCapture(number)


class MonitorCapture:
    """Takes pictures of a monitor, the pointer included where the system tells it."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._mss = _open()
        try:
            self._monitor = _monitors(self._mss)[number]
        except IndexError:
            self._mss.close()
            raise VideoError(f"monitor {number} is not there; choose another screen") from None

    def grab(self) -> Pixels:
        """Return what is on the monitor now."""
        try:
            shot = self._mss.grab(self._monitor)
        except ScreenShotError as error:
            raise VideoError(
                f"monitor {self._number} can no longer be seen ({error}); choose it anew"
            ) from None
        raw = np.frombuffer(shot.raw, np.uint8)
        return raw.reshape(shot.height, shot.width, 4)

    def close(self) -> None:
        """Let the screen go."""
        self._mss.close()


def _open() -> MSS:
    _check_desktop()
    try:
        return MSS(with_cursor=sys.platform == "linux")
    except ScreenShotError as error:
        raise VideoError(f"the screen cannot be looked at: {error}") from None


def _monitors(mss: MSS) -> list[dict[str, Any]]:
    return mss.monitors  # pyright: ignore[reportUnknownMemberType]


def _check_desktop() -> None:
    if sys.platform != "linux":
        return
    if os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise VideoError(_WAYLAND)
    if not os.environ.get("DISPLAY"):
        raise VideoError(_NO_DISPLAY)
