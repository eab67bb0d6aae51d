"""A line above everything when there is a newer version; it installs nothing."""

import flet as ft

from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View


@ft.component
def UpdateBar(view: View) -> ft.Control:
    """Say that there is a newer version, and where; it can be put away but where it is urgent."""
    view.watch(Topic("updates"))
    away, put_away = hooks.state(False)
    offer = view.core.updates.offer if view.core.updates is not None else None
    if offer is None or (away and not offer.urgent):
        return ft.Container(visible=False)
    url = offer.package.url

    async def show() -> None:
        await ft.UrlLauncher().launch_url(url)

    tools = [kit.button("update-get", tr("Get it"), view.act(show), kind="quiet")]
    if not offer.urgent:
        tools.append(
            kit.icon_button("update-later", ft.Icons.CLOSE, tr("Later"), lambda: put_away(True))
        )
    words = kit.semantics("update", kit.line(offer.text, "small"), offer.text, live_region=True)
    return ft.Container(
        ft.Row([words, *tools], alignment=ft.MainAxisAlignment.CENTER, spacing=12),
        bgcolor=theme.MENTION,
        padding=ft.Padding.symmetric(horizontal=16),
    )
