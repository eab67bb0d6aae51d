"""Add a server: found one, make one like a template, join one, or sign in somewhere else."""

from typing import Literal

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.enter_servers import (
    found_server,
    join_server,
    preview_invite,
    read_template,
)
from sidetone.desktop.domain.invite_link import read_invite
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import (
    Doing,
    ServerFace,
    cancel,
    dialog_body,
    show_dialog,
)
from sidetone.desktop.interface.picking import pick
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId
from sidetone.protocol.refusals import Invalid
from sidetone.protocol.servers import InvitePreview, TemplateDocument

_NOTHING: InvitePreview | None = None
_NO_DOCUMENT: TemplateDocument | None = None


def open_add_server(view: View) -> None:
    """Ask which way to a server it shall be."""
    account = view.account
    if account is None:
        view.go(screen="sign_in")
    else:
        show_dialog(view, hooks.keyed("add-server", AddServer, view, account))


def open_join(view: View, account: Account, invite: str) -> None:
    """Show where *invite*, a code or a link, leads, and offer to join."""
    show_dialog(view, hooks.keyed("join-server", JoinServer, view, account, invite))


def open_found(view: View, account: Account) -> None:
    """Ask how a new server shall be called."""
    show_dialog(view, hooks.keyed("found-server", FoundServer, view, account, "empty"))


@ft.component
def AddServer(view: View, account: Account) -> ft.Control:
    """Offer the ways there are."""

    def then(dialog: ft.Control) -> None:
        view.close()
        show_dialog(view, dialog)

    def found(kind: Literal["empty", "code", "file"]) -> None:
        then(hooks.keyed("found-server", FoundServer, view, account, kind))

    def join() -> None:
        then(hooks.keyed("join-server", JoinServer, view, account, ""))

    def elsewhere() -> None:
        view.close()
        view.go(screen="sign_in")

    ways = [
        ("add-join", ft.Icons.LINK, tr("Join with an invite"), tr("A link or a code"), join),
        (
            "add-empty",
            ft.Icons.ADD_HOME_OUTLINED,
            tr("Found a server"),
            tr("With one text and one voice channel to begin with"),
            lambda: found("empty"),
        ),
        (
            "add-code",
            ft.Icons.CONTENT_COPY,
            tr("From a template code"),
            tr("Channels and roles like those of another server"),
            lambda: found("code"),
        ),
        (
            "add-file",
            ft.Icons.FILE_OPEN_OUTLINED,
            tr("From a template file"),
            tr("A file that somebody saved from their server"),
            lambda: found("file"),
        ),
        (
            "add-elsewhere",
            ft.Icons.DNS_OUTLINED,
            tr("Sign in at another machine"),
            tr("With its address, and an account there"),
            elsewhere,
        ),
    ]
    rows = [_way(*way) for way in ways]
    return dialog_body("add-server", tr("Add a server"), rows, [cancel(view)])


def _way(
    identifier: str, icon: ft.IconData, title: str, words: str, on_click: kit.Handler
) -> ft.Control:
    content = ft.Row(
        [
            ft.Icon(icon, color=theme.ACCENT),
            ft.Column(
                [kit.text(title, "name"), kit.text(words, "small", theme.QUIET)],
                spacing=0,
                expand=True,
            ),
            ft.Icon(ft.Icons.CHEVRON_RIGHT, color=theme.FAINT),
        ],
        spacing=14,
    )
    return kit.row(identifier, title, content, on_click, padding=12, margin=0)


@ft.component
def FoundServer(
    view: View, account: Account, kind: Literal["empty", "code", "file"]
) -> ft.Control:
    """Ask for a name, and for what the server shall be like."""
    name = hooks.entry("")
    code = hooks.entry("")
    document, set_document = hooks.state(_NO_DOCUMENT)
    chosen, set_chosen = hooks.state("")
    doing = Doing()

    async def read() -> None:
        for picked in await pick(view, "json"):
            set_document(read_template(await picked.read()))
            set_chosen(picked.name)

    async def choose() -> None:
        await doing.run(read)

    async def found() -> None:
        if kind == "file" and document is None:
            raise Invalid("template_missing", tr("Choose the file of a template first."))
        if kind == "code" and not code.value.strip():
            raise Invalid("template_missing", tr("Enter the code of a template first."))
        server = await found_server(
            account, name.value, template=code.value.strip() or None, document=document
        )
        view.close()
        view.open_server(account, server)

    async def finish() -> None:
        await doing.run(found)

    label = tr("Name of the server")
    field = kit.field("server-name", label, name.value, name.set, autofocus=True, on_submit=finish)
    of_code = kit.field(
        "template-code", tr("Code of the template"), code.value, code.set, on_submit=finish
    )
    of_file = kit.button("template-file", chosen or tr("Choose a file"), choose, kind="quiet")
    more: dict[str, list[ft.Control]] = {"code": [of_code], "file": [of_file]}
    return dialog_body(
        "found-server",
        tr("Found a server"),
        [field, *more.get(kind, []), *doing.shown("found-problem")],
        [cancel(view), kit.button("server-found", tr("Found"), finish, disabled=doing.busy)],
    )


@ft.component
def JoinServer(view: View, account: Account, invite: str) -> ft.Control:
    """Ask for an invite, show where it leads, and go there."""
    text = hooks.entry(invite)
    found, set_found = hooks.state(_NOTHING)
    doing = Doing()

    async def look() -> None:
        set_found(await preview_invite(account, read_invite(text.value)))

    async def join() -> None:
        if found is None:
            await look()
            return
        server = await join_server(account, found.code)
        view.close()
        view.open_server(account, server)

    async def finish() -> None:
        await doing.run(join)

    def typed(value: str) -> None:
        text.set(value)
        set_found(None)

    preview = [_preview(view, account, found)] if found is not None else []
    return dialog_body(
        "join-server",
        tr("Join with an invite"),
        [
            kit.field(
                "invite",
                tr("Invite link or code"),
                text.value,
                typed,
                autofocus=True,
                on_submit=finish,
            ),
            *preview,
            *doing.shown("join-problem"),
        ],
        [
            cancel(view),
            kit.button(
                "server-join",
                tr("See where it leads") if found is None else tr("Join"),
                finish,
                disabled=doing.busy,
            ),
        ],
    )


def _preview(view: View, account: Account, found: InvitePreview) -> ft.Control:
    inside = ServerId(found.server.id) in account.knowledge.communities
    members = trn("{n} member", "{n} members", found.members)
    words = tr("You are a member already") if inside else members
    face: ft.Control = ft.Container(
        ServerFace(view, account, found.server, 48, theme.TEXT),
        width=48,
        height=48,
        border_radius=14,
        bgcolor=theme.CHOSEN,
        alignment=ft.Alignment.CENTER,
        clip_behavior=ft.ClipBehavior.ANTI_ALIAS,
    )
    lines: list[ft.Control] = [
        kit.line(found.server.name, "heading"),
        kit.text(words, "small", theme.QUIET),
    ]
    if found.server.description:
        lines.append(kit.text(found.server.description, "small", theme.QUIET, max_lines=3))
    return kit.semantics(
        "invite-preview",
        ft.Container(
            ft.Row([face, ft.Column(lines, spacing=2, expand=True)], spacing=14),
            bgcolor=theme.SIDE,
            border_radius=12,
            padding=14,
        ),
        f"{found.server.name}, {words}",
    )
