"""Keys of the window itself, for who cannot be heard elsewhere."""

import flet as ft

from sidetone.desktop.interface.view import View


def with_keys(view: View, content: ft.Control) -> ft.Control:
    """Return *content* within what hears its keys, those of its fields as well.

    The page tells of no key that nobody asks for: the handlers are there only while needed.
    """
    keys = view.core.keys

    def down(event: ft.KeyDownEvent) -> None:
        keys.page_key(event.key, pressed=True)

    def up(event: ft.KeyUpEvent) -> None:
        keys.page_key(event.key, pressed=False)

    needed = keys.wants_page
    listener = ft.KeyboardListener(
        content,
        autofocus=needed,
        on_key_down=down if needed else None,
        on_key_up=up if needed else None,
    )
    # It has no size of its own, and fills what it stands in.
    return ft.Container(listener, expand=True)
