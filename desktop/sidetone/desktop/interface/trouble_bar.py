"""A quiet line above everything while the server cannot be reached."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.view import View


@ft.component
def TroubleBar(view: View) -> ft.Control:
    """Say how the connection fares when it does not fare well."""
    view.watch(Topic("accounts"))
    account = view.account
    if account is None or account.connection in {"online", "connecting"}:
        return ft.Container(visible=False)
    if account.connection == "lost":
        words = tr("No connection. What you write is kept and sent as soon as it is back.")
    else:
        words = kit.sentence(account.problem)
    return ft.Container(
        kit.semantics(
            "trouble", kit.line(words, "small", theme.ON_ACCENT), words, live_region=True
        ),
        bgcolor=theme.WARNING,
        padding=ft.Padding.symmetric(horizontal=16, vertical=4),
        alignment=ft.Alignment.CENTER,
    )
