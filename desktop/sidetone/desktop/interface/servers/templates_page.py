"""Templates that we saved: the shape of a server without its people, by code or as a file."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.enter_servers import write_template
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing, Paged, beside_field, card, empty
from sidetone.desktop.interface.servers.invite_dialog import copy
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Template


@ft.component
def TemplatesPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """Save this server as one, and list those of before."""
    servers = account.client.api.servers
    name = hooks.entry(account.knowledge.communities[server].server.name)
    doing = Doing()

    async def read(_: str | None) -> Page[Template]:
        return Page(await servers.templates())

    paged: Paged[Template] = Paged(view, read)

    async def save() -> None:
        await servers.save_template(server, name.value)
        await paged.again()

    async def forget(template: Template) -> None:
        await servers.delete_template(template.code)
        await paged.again()

    typed = kit.field("template-name", tr("Name"), name.value, name.set, max_length=100)
    typed.expand = True
    rows = [_card(view, each, view.act(forget, each)) for each in paged.items]
    if paged.loaded and not rows:
        words = tr("No templates yet. Who has the code of one founds a server like it.")
        rows = [empty("templates-none", ft.Icons.CONTENT_COPY, words)]
    words = tr("Channels, roles and permissions; neither people nor messages.")
    return page(
        tr("Templates"),
        kit.text(words, color=theme.QUIET),
        beside_field(
            typed,
            kit.button(
                "template-save", tr("Save as template"), lambda: view.start(doing.run(save))
            ),
        ),
        *doing.shown("template-problem"),
        ft.Column(rows, spacing=6, tight=True),
    )


def _card(view: View, template: Template, on_forget: kit.Handler) -> ft.Control:
    async def export() -> None:
        content = write_template(template.document)
        await ft.FilePicker().save_file(file_name=f"{template.name}.json", src_bytes=content)

    channels = trn("{n} channel", "{n} channels", len(template.document.channels))
    roles = trn("{n} role", "{n} roles", len(template.document.roles))
    lines: list[ft.Control] = [
        kit.text(template.name, "name"),
        kit.text(f"{template.code} · {channels} · {roles}", "small", theme.QUIET, selectable=True),
    ]
    return card(
        f"template-{template.name}",
        ft.Column(lines, spacing=0, tight=True),
        template.name,
        kit.icon_button(
            f"template-copy-{template.name}",
            ft.Icons.CONTENT_COPY,
            tr("Copy the code"),
            view.act(copy, view, template.code),
        ),
        kit.icon_button(
            f"template-file-{template.name}",
            ft.Icons.DOWNLOAD,
            tr("Save as a file"),
            view.act(export),
        ),
        kit.icon_button(
            f"template-delete-{template.name}",
            ft.Icons.DELETE_OUTLINE,
            tr("Forget"),
            on_forget,
            color=theme.BAD,
        ),
    )
