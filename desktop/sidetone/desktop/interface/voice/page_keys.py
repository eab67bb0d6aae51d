"""Keys of the window itself, for who cannot be heard elsewhere."""

from collections.abc import Callable

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.interface.view import View


@ft.component
def WithKeys(view: View, screen: Callable[[View], ft.Control]) -> ft.Control:
    """Draw *screen* within what hears its keys, those of its fields as well.

    The page tells of no key that nobody asks for: the handlers are there only while needed.
    *screen* is a memoised component, so that a change of this does not draw it anew.
    """
    view.watch(Topic("call"))
    keys = view.core.keys

    def down(event: ft.KeyDownEvent) -> None:
        keys.page_key(event.key, pressed=True)

    def up(event: ft.KeyUpEvent) -> None:
        keys.page_key(event.key, pressed=False)

    needed = keys.wants_page
    listener = ft.KeyboardListener(
        screen(view),
        autofocus=True,
        on_key_down=down if needed else None,
        on_key_up=up if needed else None,
    )
    # It has no size of its own, and fills what it stands in.
    return ft.Container(listener, expand=True)
