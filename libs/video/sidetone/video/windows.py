"""Windows of an X11 desktop: which there are, and pictures of one of them.

A window is read from its own surface, not from the screen, so that what lies over it is not shown
where the desktop composes its windows, as all common ones do. Talks to the X server by mss's own
binding of xcb.
"""

import struct
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from sidetone.video import Pixels, Size, VideoError
from sidetone.video.capture import Screen, Window

_ALL_PLANES: Final = 0xFFFFFFFF
_Z_PIXMAP: Final = 2
_ANY_TYPE: Final = 0
_LONGS_MAX: Final = 1024
_DEPTHS: Final = {24, 32}
_SIDE_MIN: Final = 16


def list_windows() -> list[Screen]:
    """Return the windows that the desktop's window manager lists, the newest last."""
    with _connection() as (xcb, connection, root):
        found: list[Screen] = []
        for window in _client_list(xcb, connection, root):
            try:
                size = _size(xcb, connection, window)
                title = _title(xcb, connection, window)
            except _x_error():
                continue  # It was closed a moment ago.
            if title and min(size) >= _SIDE_MIN:
                found.append(Screen(Window(window), title, size))
        return found


class WindowCapture:
    """Takes pictures of one window, in the size that it has at the moment."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._open = _connection()
        self._xcb, self._connection, _ = self._open.__enter__()

    def grab(self) -> Pixels:
        """Return what the window shows now; one that is minimised cannot be seen."""
        try:
            size = _size(self._xcb, self._connection, self._window)
            image = self._xcb.get_image(
                self._connection,
                _Z_PIXMAP,
                self._xcb.Drawable(self._window),
                0,
                0,
                *size,
                _ALL_PLANES,
            )
        except _x_error():
            raise VideoError(
                "the window cannot be seen any more: it was closed or minimised; choose it anew"
            ) from None
        data = np.frombuffer(bytearray(self._xcb.get_image_data(image)), np.uint8)
        if image.depth not in _DEPTHS or data.size != size.width * size.height * 4:
            raise VideoError("the window has colours that cannot be read; show the monitor")
        return data.reshape(size.height, size.width, 4)

    def close(self) -> None:
        """Let the window go."""
        self._open.__exit__(None, None, None)


@contextmanager
def _connection() -> Generator[tuple[Any, Any, int]]:
    # Not at the top: it loads libxcb, which other systems do not have.
    from mss.linux import xcb as binding  # noqa: PLC0415

    xcb: Any = binding
    try:
        connection, number = xcb.connect()
    except (xcb.XError, OSError) as error:
        raise VideoError(f"the X server does not answer: {error}") from None
    try:
        screen = xcb.setup_roots(xcb.get_setup(connection))[number]
        yield xcb, connection, int(screen.root.value)
    finally:
        xcb.disconnect(connection)


def _x_error() -> type[Exception]:
    from mss.linux.xcbhelpers import XError  # noqa: PLC0415

    return XError


def _client_list(xcb: Any, connection: Any, root: int) -> list[int]:  # noqa: ANN401
    value = _property(xcb, connection, root, "_NET_CLIENT_LIST")
    return [window for (window,) in struct.iter_unpack("=I", value[: len(value) // 4 * 4])]


def _title(xcb: Any, connection: Any, window: int) -> str:  # noqa: ANN401
    for name, encoding in (("_NET_WM_NAME", "utf-8"), ("WM_NAME", "latin-1")):
        value = _property(xcb, connection, window, name)
        if value:
            return value.decode(encoding, "replace").strip()
    return ""


def _property(xcb: Any, connection: Any, window: int, name: str) -> bytes:  # noqa: ANN401
    atom = xcb.intern_atom(connection, name, only_if_exists=True)
    if atom is None:
        return b""
    reply = xcb.get_property(
        connection, 0, xcb.Window(window), atom, xcb.Atom(_ANY_TYPE), 0, _LONGS_MAX
    )
    return bytes(xcb.get_property_value(reply))


def _size(xcb: Any, connection: Any, window: int) -> Size:  # noqa: ANN401
    geometry = xcb.get_geometry(connection, xcb.Drawable(window))
    return Size(int(geometry.width), int(geometry.height))
