"""What one can do with a message: a few tools beside it, and everything in its menu."""

from collections.abc import Callable, Sequence
from typing import Literal

import flet as ft
import msgspec

from sidetone.desktop.application.change_message import (
    delete_message,
    toggle_pin,
    toggle_reaction,
)
from sidetone.desktop.application.mark_read import mark_unread
from sidetone.desktop.domain.message_link import link_of
from sidetone.desktop.domain.message_rights import Rights, rights_to
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.chat.dialogs import ask_thread_name, report
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.reactions import react
from sidetone.desktop.interface.forms import dialog_body, show_dialog
from sidetone.protocol.messages import Message

_QUICK = "👍"


class Deed(msgspec.Struct, frozen=True):
    """One thing that can be done: how a test finds it, what it is called, and what it does."""

    identifier: str
    label: str
    icon: ft.IconData
    do: Callable[[], None]
    danger: bool = False


def rights(pane: Pane, message: Message) -> Rights:
    """Return what we may do with *message*."""
    now_ms = pane.account.clock.now_ms()
    allowed = pane.account.knowledge.permissions(pane.channel, now_ms)
    kind = pane.known.kind if pane.known is not None else "text"
    return rights_to(message, pane.account.id, allowed, kind)


def begin_edit(pane: Pane, message: Message) -> None:
    """Change a message where it stands."""
    pane.mark(editing=message.id)


def begin_reply(pane: Pane, message: Message) -> None:
    """Answer a message."""
    pane.timeline.draft.reply_to = message.id
    pane.draw_composer()
    pane.focus_composer()


def ask_delete(pane: Pane, message: Message) -> None:
    """Delete a message after asking once; with Shift at once."""
    if pane.shift:
        pane.start(delete_message(pane.account, message))
        return

    def confirm() -> None:
        pane.view.close()
        pane.start(delete_message(pane.account, message))

    body = dialog_body(
        "delete-message-dialog",
        tr("Delete this message?"),
        [
            kit.text(tr("Nobody can read it any more then."), color=theme.QUIET),
            kit.text(tr("With Shift held it is deleted at once."), "small", theme.FAINT),
        ],
        [
            kit.button("cancel-delete", tr("Keep it"), pane.view.close, kind="quiet"),
            kit.button("confirm-delete", tr("Delete"), confirm, kind="danger", autofocus=True),
        ],
    )
    show_dialog(pane.view, body)


def _copy(pane: Pane, text: str, said: str) -> Callable[[], None]:
    async def work() -> None:
        await ft.Clipboard().set(text)
        pane.view.notice(said)

    return lambda: pane.start(work())


def deeds(pane: Pane, message: Message) -> list[list[Deed]]:
    """Return all that can be done with *message*, in groups."""
    may = rights(pane, message)
    answers: list[Deed | Literal[False]] = [
        may.react
        and Deed(
            "menu-react",
            tr("Add a reaction"),
            ft.Icons.ADD_REACTION_OUTLINED,
            lambda: react(pane, message),
        ),
        may.reply
        and Deed("menu-reply", tr("Reply"), ft.Icons.REPLY, lambda: begin_reply(pane, message)),
        may.thread and _thread_deed(pane, message),
    ]
    changes: list[Deed | Literal[False]] = [
        may.edit
        and Deed(
            "menu-edit", tr("Edit"), ft.Icons.EDIT_OUTLINED, lambda: begin_edit(pane, message)
        ),
        may.pin
        and Deed(
            "menu-pin",
            tr("Unpin") if message.pinned else tr("Pin"),
            ft.Icons.PUSH_PIN_OUTLINED,
            lambda: pane.start(toggle_pin(pane.account, message)),
        ),
    ]
    looks, ends = _looks(pane, message), _ends(pane, message, may)
    groups: list[Sequence[Deed | Literal[False]]] = [answers, changes, looks, ends]
    return [[deed for deed in group if deed] for group in groups if any(group)]


def _thread_deed(pane: Pane, message: Message) -> Deed:
    thread = message.thread
    if thread is not None:
        return Deed(
            "menu-thread",
            tr("Open the thread"),
            ft.Icons.FORUM_OUTLINED,
            lambda: pane.view.go(thread=thread),
        )
    return Deed(
        "menu-thread",
        tr("Begin a thread"),
        ft.Icons.FORUM_OUTLINED,
        lambda: ask_thread_name(pane, message),
    )


def _looks(pane: Pane, message: Message) -> list[Deed]:
    def unread() -> None:
        pane.read_later(message.id)
        pane.start(mark_unread(pane.account, message.channel, message.id))

    link = link_of(pane.account.address, message.server, message.channel, message.id)
    found = [
        Deed(
            "menu-copy-link",
            tr("Copy the link"),
            ft.Icons.LINK,
            _copy(pane, link, tr("The link is in the clipboard.")),
        ),
        Deed(
            "menu-unread",
            tr("Mark as unread from here"),
            ft.Icons.MARK_CHAT_UNREAD_OUTLINED,
            unread,
        ),
    ]
    if message.text:
        text = _copy(pane, message.text, tr("The text is in the clipboard."))
        found.insert(0, Deed("menu-copy", tr("Copy the text"), ft.Icons.CONTENT_COPY, text))
    return found


def _ends(pane: Pane, message: Message, may: Rights) -> list[Deed]:
    found: list[Deed] = []
    community = pane.community
    others = message.author != pane.account.id
    if others and community is not None and community.server.kind == "community":
        found.append(
            Deed(
                "menu-report",
                tr("Report"),
                ft.Icons.FLAG_OUTLINED,
                lambda: report(pane, message),
                danger=True,
            )
        )
    if may.delete:
        found.append(
            Deed(
                "menu-delete",
                tr("Delete"),
                ft.Icons.DELETE_OUTLINE,
                lambda: ask_delete(pane, message),
                danger=True,
            )
        )
    return found


def open_menu(pane: Pane, message: Message, at: ft.Offset | None) -> None:
    """Offer everything at a place of the window."""
    items: list[ft.PopupMenuItem] = []
    for group in deeds(pane, message):
        if items:
            items.append(kit.menu_line())
        items += [
            kit.menu_item(deed.identifier, deed.label, deed.icon, deed.do, danger=deed.danger)
            for deed in group
        ]
    pane.view.menu(at or ft.Offset(200, 200), items)


def offer_chosen(pane: Pane) -> None:
    """Open the menu of the message that was chosen by keys, in the middle of the window."""
    message = pane.timeline.find(pane.marks.found) if pane.marks.found is not None else None
    if message is not None:
        page = pane.view.page
        open_menu(pane, message, ft.Offset((page.width or 0) / 2, (page.height or 0) / 2))


@ft.component
def Toolbar(pane: Pane, message: Message) -> ft.Control:
    """Draw what is done most, and the way to the rest."""
    may = rights(pane, message)
    tools: list[ft.Control] = []
    if may.react:
        quick = ft.Container(
            ft.Text(_QUICK, size=15, font_family_fallback=[theme.EMOJI]),
            padding=ft.Padding.symmetric(horizontal=6, vertical=4),
            border_radius=6,
            ink=True,
            on_click=lambda: pane.start(toggle_reaction(pane.account, message, _QUICK)),
        )
        tools.append(kit.semantics("tool-quick-reaction", quick, _QUICK, button=True))
        tools.append(
            _tool(
                "tool-react",
                ft.Icons.ADD_REACTION_OUTLINED,
                tr("Add a reaction"),
                lambda: react(pane, message),
            )
        )
    if may.edit:
        edit = ft.Icons.EDIT_OUTLINED
        tools.append(_tool("tool-edit", edit, tr("Edit"), lambda: begin_edit(pane, message)))
    elif may.reply:
        tools.append(
            _tool("tool-reply", ft.Icons.REPLY, tr("Reply"), lambda: begin_reply(pane, message))
        )
    if may.delete:
        tools.append(
            _tool(
                "tool-delete",
                ft.Icons.DELETE_OUTLINE,
                tr("Delete"),
                lambda: ask_delete(pane, message),
            )
        )
    tools.append(_more(pane, message))
    return ft.Container(
        ft.Row(tools, tight=True, spacing=0),
        bgcolor=theme.RAISED,
        border=ft.Border.all(1, theme.LINE),
        border_radius=8,
        padding=2,
    )


def _more(pane: Pane, message: Message) -> ft.Control:
    dots = ft.GestureDetector(
        ft.Container(
            ft.Icon(ft.Icons.MORE_HORIZ, size=18, color=theme.QUIET),
            padding=ft.Padding.symmetric(horizontal=6, vertical=4),
            tooltip=tr("More"),
        ),
        on_tap_up=lambda e: open_menu(pane, message, e.global_position),
        mouse_cursor=ft.MouseCursor.CLICK,
    )
    return kit.semantics("tool-more", dots, tr("More"), button=True)


def _tool(identifier: str, icon: ft.IconData, label: str, do: Callable[[], None]) -> ft.Control:
    return kit.icon_button(
        identifier, icon, label, do, width=30, height=28, padding=0, icon_size=18
    )
