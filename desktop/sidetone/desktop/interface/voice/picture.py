"""The pictures of a screen that somebody shows, as fast as they come and no faster than shown."""

from contextlib import suppress

import flet as ft

from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Refusal


@ft.component
def Picture(view: View, user: UserId) -> ft.Control:
    """Draw the newest picture; each goes to the client beside the tree of controls.

    The client says when it has shown one: a slow one gets fewer, and no queue grows.
    """
    made = ft.use_ref(lambda: ft.RawImage(fit=ft.BoxFit.CONTAIN, expand=True))
    image = made.current

    async def show() -> None:
        size = (int(view.page.width or 1280), int(view.page.height or 720))
        with suppress(Refusal, TimeoutError):
            async with view.core.screens.watching(user, size) as feed:
                number = -1
                while image is not None:
                    picture = await feed.after(number)
                    number = picture.number
                    await image.render_encoded(picture.jpeg)

    ft.use_effect(show, [user])
    shown = kit.semantics(
        "watched-screen",
        ft.Container(image, alignment=ft.Alignment.CENTER, bgcolor=theme.RAIL, expand=True),
        tr("The screen that is shown"),
        image=True,
    )
    shown.expand = True
    return shown
