"""Listens to keys and mouse buttons of the whole desktop; the only module that knows pynput.

Keys are named by what is printed on them and not by what they type, so that a key is released
under the name under which it was pressed, whatever shift did meanwhile. Nothing is logged here,
and pynput is imported only when somebody wants to listen: without a display its import fails.
"""

import ctypes
import importlib
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from sidetone.desktop.domain.wording import tr
from sidetone.protocol.refusals import Refusal, Unavailable

# pynput's names for what people count: the wheel is the third button, the side has two more.
_BUTTONS: Final = {
    "middle": "mouse3",
    "x1": "mouse4",
    "x2": "mouse5",
    "button8": "mouse4",
    "button9": "mouse5",
}
_KEYSYM_UNICODE: Final = 0x0100_0000
_KEYSYM_LATIN_MAX: Final = 0xFF
_VK_TO_CHAR: Final = 2


class DesktopKeys:
    """The keys of the desktop, heard on threads of their own."""

    def __init__(self) -> None:
        self._listeners: list[Any] = []
        self._printed: Callable[[Any], str] = _typed
        self._close: Callable[[], None] = _nothing
        self._lock = threading.Lock()

    def start(self, heard: Callable[[str, bool], None]) -> None:
        """Tell *heard* of each press and release, by the key's name, until ``stop``.

        Blocks for a moment. Raises ``Unavailable`` where the system lets nobody listen.
        """
        with self._lock:
            if self._listeners:
                return
            self._listeners = self._made(heard)
            for listener in self._listeners:
                listener.start()
            for listener in self._listeners:
                listener.wait()
            # macOS hands out no keys, and no error, until its user has agreed.
            if not getattr(self._listeners[0], "IS_TRUSTED", True):
                self._stop()
                raise _unavailable(
                    tr(
                        "Keys are not heard: allow it in System Settings, Privacy & Security, "
                        "Input Monitoring, and start the client again."
                    )
                )

    def stop(self) -> None:
        """Listen no more; a second time does nothing."""
        with self._lock:
            self._stop()

    def _stop(self) -> None:
        # Under X11 such a thread ends with the next key; it is not waited for, and tells no more.
        for listener in self._listeners:
            listener.stop()
        self._listeners = []
        self._close()
        self._printed, self._close = _typed, _nothing

    def _made(self, heard: Callable[[str, bool], None]) -> list[Any]:
        """Return the threads that will tell *heard*, the one of the keyboard first."""
        keyboard, mouse = self._open()

        def press(key: Any) -> None:  # noqa: ANN401 (pynput has no types)
            self._tell(heard, key, pressed=True)

        def release(key: Any) -> None:  # noqa: ANN401
            self._tell(heard, key, pressed=False)

        def click(_x: int, _y: int, button: Any, pressed: bool) -> None:  # noqa: ANN401, FBT001
            # The first two buttons are pressed all the time and can be bound to nothing.
            if button.name in _BUTTONS:
                heard(_BUTTONS[button.name], pressed)

        return [
            keyboard.Listener(on_press=press, on_release=release),
            mouse.Listener(on_click=click),
        ]

    def _open(self) -> tuple[ModuleType, ModuleType]:
        """Import what listens, and learn how this system's keys are named."""
        if sys.platform == "linux":
            self._printed, self._close = _open_x11()
        elif sys.platform == "win32":
            self._printed = _printed_on_windows
        try:
            return importlib.import_module("pynput.keyboard"), importlib.import_module(
                "pynput.mouse"
            )
        except ImportError as error:
            self._close()
            raise _unavailable(
                tr("Keys are not heard here: this system does not allow it.")
            ) from error

    def _tell(self, heard: Callable[[str, bool], None], key: Any, *, pressed: bool) -> None:  # noqa: ANN401
        with self._lock:
            name = self._name(key) if self._listeners else ""
        if name:
            heard(name, pressed)

    def _name(self, key: Any) -> str:  # noqa: ANN401 (pynput has no types)
        if key is None:
            return ""
        special: str | None = getattr(key, "name", None)
        if special is not None:
            return special.removesuffix("_l").removesuffix("_r")
        printed = self._printed(key).lower()
        return {"+": "plus", " ": "space"}.get(printed, printed) or f"key{key.vk}"


def _typed(key: Any) -> str:  # noqa: ANN401
    return key.char or ""


def _nothing() -> None:
    pass


def _printed_on_windows(key: Any) -> str:  # noqa: ANN401
    if sys.platform != "win32" or key.vk is None:
        return _typed(key)
    # The top bit marks dead keys.
    return chr(ctypes.windll.user32.MapVirtualKeyW(key.vk, _VK_TO_CHAR) & 0x7FFF_FFFF).strip("\0")


def _open_x11() -> tuple[Callable[[Any], str], Callable[[], None]]:
    """Return what names a key by its first symbol in the X server's keyboard, and what ends it."""
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise _unavailable(
            tr(
                "Wayland lets no program hear keys meant for others: keys work while this window "
                "has the keyboard."
            )
        )
    xlib = importlib.import_module("Xlib.display")
    errors = importlib.import_module("Xlib.error")
    try:
        display = xlib.Display()
    except (errors.DisplayError, OSError) as error:
        raise _unavailable(tr("Keys are not heard here: there is no display.")) from error
    if not display.has_extension("RECORD"):
        display.close()
        raise _unavailable(tr("Keys are not heard here: the display has no RECORD extension."))

    def printed(key: Any) -> str:  # noqa: ANN401
        code = display.keysym_to_keycode(key.vk) if key.vk is not None else 0
        symbol = display.keycode_to_keysym(code, 0) if code else 0
        if 0 < symbol <= _KEYSYM_LATIN_MAX:
            return chr(symbol)
        return chr(symbol - _KEYSYM_UNICODE) if symbol > _KEYSYM_UNICODE else _typed(key)

    return printed, display.close


def _unavailable(detail: str) -> Refusal:
    return Unavailable("keys_unheard", detail)
