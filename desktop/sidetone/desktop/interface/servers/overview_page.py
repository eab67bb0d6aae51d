"""What a server is called, says of itself, and shows as its icon."""

import flet as ft
from msgspec import UNSET

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.bring_pictures import ENDINGS, set_icon
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import FIELD_WIDTH, Doing, ServerFace
from sidetone.desktop.interface.picking import pick
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import EditServer, Server

_ICON = 96


@ft.component
def OverviewPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """Edit name, description and icon."""
    view.watch(Topic("server", server))
    shown = account.knowledge.communities[server].server
    name = hooks.entry(shown.name)
    description = hooks.entry(shown.description)
    doing = Doing()
    servers = account.client.api.servers

    async def save() -> None:
        await servers.edit(server, EditServer(name.value, description.value))
        view.notice(tr("Saved."))

    async def choose() -> None:
        for picked in await pick(view, *ENDINGS):
            await set_icon(account, server, picked.name, await picked.read())

    async def remove() -> None:
        await servers.edit(server, EditServer(UNSET, UNSET, None))

    pictures: list[ft.Control] = [
        kit.button("icon-upload", tr("Choose an icon"), lambda: view.start(doing.run(choose)))
    ]
    if shown.icon is not None:
        pictures.append(kit.button("icon-remove", tr("Remove"), view.act(remove), kind="quiet"))
    hint = _hint()
    beside = ft.Column([ft.Row(pictures, spacing=8), hint], spacing=8, tight=True)
    return page(
        tr("Overview"),
        ft.Row([_face(view, account, shown), beside], spacing=20),
        kit.field(
            "overview-name", tr("Name"), name.value, name.set, max_length=100, width=FIELD_WIDTH
        ),
        kit.field(
            "overview-description",
            tr("Description"),
            description.value,
            description.set,
            max_length=1024,
            multiline=True,
            min_lines=3,
            max_lines=8,
            width=FIELD_WIDTH,
        ),
        *doing.shown("overview-problem"),
        ft.Row([kit.button("overview-save", tr("Save"), lambda: view.start(doing.run(save)))]),
    )


def _face(view: View, account: Account, shown: Server) -> ft.Control:
    return ft.Container(
        ServerFace(view, account, shown, _ICON, theme.TEXT),
        width=_ICON,
        height=_ICON,
        border_radius=24,
        bgcolor=theme.RAISED,
        alignment=ft.Alignment.CENTER,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
    )


def _hint() -> ft.Control:
    words = tr("A square picture of at least 128 pixels looks best.")
    return kit.text(words, "small", theme.QUIET)
