"""What one window is made of; the process around it is in ``__main__``."""

import asyncio

import flet as ft

from sidetone.desktop.application.core import Core
from sidetone.desktop.domain.place import Place
from sidetone.desktop.interface import theme
from sidetone.desktop.interface.root import Root
from sidetone.desktop.interface.view import View


async def open_window(core: Core, page: ft.Page, known_address: str = "") -> View:
    """Show the client on *page*, where the user was last if somebody is signed in."""
    page.title = "Sidetone"
    page.padding = 0
    page.theme_mode = ft.ThemeMode.DARK
    page.dark_theme = theme.theme_of(theme.DARK)
    page.theme = theme.theme_of(theme.LIGHT)
    page.bgcolor = theme.RAIL
    account = next(iter(core.accounts), None)
    place = Place("friends" if account is not None else "sign_in", account)
    view = View(core, page, place, known_address)
    page.render(Root, view)
    await ft.BrowserContextMenu().disable()
    drawing = asyncio.ensure_future(view.keep_drawn())
    page.on_close = drawing.cancel
    return view
