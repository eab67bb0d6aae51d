"""A server's own emoji: added from pictures, renamed, deleted."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.bring_pictures import ENDINGS, add_emoji, check_emoji_name
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing, ask, beside_field, card, empty
from sidetone.desktop.interface.picking import pick
from sidetone.desktop.interface.servers.server_menu import standing_in
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Emoji

_SIZE = 32


@ft.component
def EmojiPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """List them; who may adds others."""
    view.watch(Topic("server", server))
    community = account.knowledge.communities[server]
    manages = standing_in(account, server).may(Permission.MANAGE_EMOJI)
    name = hooks.entry("")
    doing = Doing()

    async def choose() -> None:
        if name.value.strip():
            check_emoji_name(name.value.strip())
        for picked in await pick(view, *ENDINGS):
            wanted = name.value.strip() or _name_of(picked.name)
            await add_emoji(account, server, wanted, picked.name, await picked.read())
            name.set("")

    adding: list[ft.Control] = []
    if manages:
        hint = tr("Letters, digits and _; nothing: as the file is called")
        typed = kit.field(
            "emoji-name", tr("Name"), name.value, name.set, hint_text=hint, max_length=32
        )
        typed.expand = True
        upload = kit.button(
            "emoji-upload", tr("Choose a picture"), lambda: view.start(doing.run(choose))
        )
        adding = [beside_field(typed, upload), *doing.shown("emoji-problem")]
    found = sorted(community.emoji.values(), key=lambda each: each.name.casefold())
    rows: list[ft.Control] = [
        hooks.keyed(str(each.id), EmojiCard, view, account, server, each, manages=manages)
        for each in found
    ]
    if not rows:
        words = tr("This server has no emoji of its own yet.")
        rows = [empty("emoji-none", ft.Icons.EMOJI_EMOTIONS_OUTLINED, words)]
    return page(tr("Emoji"), *adding, ft.Column(rows, spacing=6, tight=True))


@ft.component
def EmojiCard(
    view: View, account: Account, server: ServerId, emoji: Emoji, *, manages: bool
) -> ft.Control:
    """Draw one: its picture, its name to be changed, and deleting it."""
    view.watch(Topic("file", emoji.file))
    name = hooks.entry(emoji.name)
    doing = Doing()
    face = _picture(account.pictures.get(emoji.file))

    async def rename() -> None:
        wanted = name.value.strip()
        if wanted != emoji.name:
            check_emoji_name(wanted)
            await account.client.api.servers.rename_emoji(server, emoji.id, wanted)
            view.notice(tr("Saved."))

    async def delete() -> None:
        await account.client.api.servers.delete_emoji(server, emoji.id)

    def sure() -> None:
        words = tr("Messages that use it show its name instead.")
        ask(view, tr("Delete :{name}:?", name=emoji.name), words, tr("Delete"), delete)

    if not manages:
        return card(f"emoji-{emoji.name}", ft.Row([face, kit.text(emoji.name)]), emoji.name)
    typed = kit.field(
        f"emoji-rename-{emoji.name}",
        tr("Name"),
        name.value,
        name.set,
        dense=True,
        on_submit=view.act(doing.run, rename),
    )
    lines = [typed, *doing.shown(f"emoji-problem-{emoji.name}")]
    beside = ft.Column(lines, spacing=4, tight=True, expand=True)
    return card(
        f"emoji-{emoji.name}",
        ft.Row([face, beside], spacing=14),
        emoji.name,
        kit.icon_button(
            f"emoji-save-{emoji.name}", ft.Icons.CHECK, tr("Rename"), view.act(doing.run, rename)
        ),
        kit.icon_button(
            f"emoji-delete-{emoji.name}",
            ft.Icons.DELETE_OUTLINE,
            tr("Delete"),
            sure,
            color=theme.BAD,
        ),
    )


def _picture(picture: bytes | None) -> ft.Control:
    if picture is None:
        return ft.Container(width=_SIZE, height=_SIZE, bgcolor=theme.CHOSEN, border_radius=8)
    return ft.Image(picture, width=_SIZE, height=_SIZE, exclude_from_semantics=True)


def _name_of(file_name: str) -> str:
    """Return a name of an emoji that fits a file's.

    >>> _name_of("party parrot!.gif")
    'party_parrot_'
    """
    stem = file_name.rpartition(".")[0]
    ascii_only = (each if each.isascii() and each.isalnum() else "_" for each in stem)
    return "".join(ascii_only)[:32]
