"""The keys of the window, in one place: what each does, and the list of them that Ctrl+/ shows."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

import flet as ft

from sidetone.desktop.application.arrange_servers import servers_of
from sidetone.desktop.domain.channel_order import groups_of
from sidetone.desktop.domain.people import conversations
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import dialog_body, show_dialog
from sidetone.desktop.interface.people.faces import show_conversation
from sidetone.desktop.interface.quick_switcher import open_quick_switcher
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, ServerId

T = TypeVar("T")
_PRINTED = {"Arrow Up": "↑", "Arrow Down": "↓", "Escape": "Esc"}


class Shortcut(NamedTuple):
    """Keys as they are printed, what they are for, and what they do."""

    keys: str
    words: Callable[[], str]
    act: Callable[[View], None]


def shortcuts() -> list[Shortcut]:
    """Return all shortcuts, in the order in which they are listed."""
    return [
        Shortcut("Ctrl+K", lambda: tr("Go anywhere"), open_quick_switcher),
        Shortcut("Alt+Arrow Up", lambda: tr("Channel above"), partial(_step_channel, step=-1)),
        Shortcut("Alt+Arrow Down", lambda: tr("Channel below"), partial(_step_channel, step=1)),
        Shortcut("Ctrl+Alt+Arrow Up", lambda: tr("Server above"), partial(_step_server, step=-1)),
        Shortcut("Ctrl+Alt+Arrow Down", lambda: tr("Server below"), partial(_step_server, step=1)),
        Shortcut("Alt+Page Up", lambda: tr("Message above"), partial(_step_message, step=-1)),
        Shortcut("Alt+Page Down", lambda: tr("Message below"), partial(_step_message, step=1)),
        Shortcut("Shift+F10", lambda: tr("Menu of the chosen message"), _offer),
        Shortcut("Escape", lambda: tr("Close what is open, or jump to the present"), _escape),
        Shortcut("Ctrl+/", lambda: tr("Show these keys"), open_shortcuts),
        Shortcut("Ctrl+,", lambda: tr("Settings"), _settings),
    ]


def _native() -> list[tuple[str, str]]:
    """Return what fields and lists do by themselves, to be listed with the others."""
    return [
        ("Tab", tr("Next control")),
        ("Enter", tr("Send, or do what has the focus")),
        ("Shift+Enter", tr("A new line in a message")),
    ]


def listen(view: View) -> None:
    """Do what the keys of the window say from now on."""
    table = {each.keys: each.act for each in shortcuts()}

    def pressed(event: ft.KeyboardEvent) -> None:
        if view.account is None:
            return
        name = name_of_keys(event)
        if view.keys_taken_by is not None and view.keys_taken_by(name):
            return
        act = table.get(name)
        # A dialog closes by Escape itself, and takes all else.
        if act is not None and not view.has_dialog:
            act(view)

    view.page.on_keyboard_event = pressed


def name_of_keys(event: ft.KeyboardEvent) -> str:
    """Return the keys as the table names them; Command counts as Ctrl."""
    held = [
        name
        for name, down in (
            ("Ctrl", event.ctrl or event.meta),
            ("Alt", event.alt),
            ("Shift", event.shift),
        )
        if down
    ]
    return "+".join([*held, event.key])


def open_shortcuts(view: View) -> None:
    """List all keys."""
    show_dialog(view, hooks.keyed("shortcuts", Shortcuts, view))


@ft.component
def Shortcuts(view: View) -> ft.Control:
    """Draw each shortcut and what it is for."""
    listed = [(each.keys, each.words()) for each in shortcuts()] + _native()
    rows = [
        kit.semantics(
            f"shortcut-{keys}",
            ft.Row(
                [kit.text(words, expand=True), *(_cap(key) for key in keys.split("+"))], spacing=4
            ),
            f"{keys}: {words}",
        )
        for keys, words in listed
    ]
    close = kit.button("dialog-close", tr("Close"), view.close, kind="quiet")
    return dialog_body("shortcuts", tr("Keys"), rows, [close])


def _cap(key: str) -> ft.Control:
    """Return a key as it stands on a keyboard."""
    return ft.Container(
        kit.text(_PRINTED.get(key, key), "label", theme.QUIET),
        bgcolor=theme.CHOSEN,
        border_radius=6,
        padding=ft.Padding.symmetric(horizontal=8, vertical=2),
    )


def _settings(view: View) -> None:
    view.go(screen="settings")


def _step_channel(view: View, step: int) -> None:
    account = view.account
    if account is None:
        return
    if view.place.screen == "friends":
        listed = [ServerId(each.server.id) for each in conversations(account.knowledge)]
        if listed:
            show_conversation(view, account, _next(listed, view.place.server, step))
        return
    community = account.knowledge.communities.get(view.place.server or ServerId(account.id))
    if community is None:
        return
    channels = [
        ChannelId(each.id)
        for group in groups_of(list(community.visible(account.id)))
        for each in group.channels
        if each.kind == "text"
    ]
    if channels:
        view.open_channel(account, _next(channels, view.place.channel, step))


def _step_server(view: View, step: int) -> None:
    listed = [(account, ServerId(server.id)) for account, server in servers_of(view.core)]
    if listed:
        here = next((each for each in listed if each[1] == view.place.server), None)
        account, server = _next(listed, here, step)
        view.open_server(account, server)


def _next(listed: list[T], here: T | None, step: int) -> T:
    if here not in listed:
        return listed[0 if step > 0 else -1]
    return listed[(listed.index(here) + step) % len(listed)]


def _escape(view: View) -> None:
    place = view.place
    if place.screen in {"settings", "server_settings"}:
        view.go(screen="server" if place.server is not None else "friends")
    elif place.thread is not None:
        view.go(thread=None)
    elif place.panel in {"search", "pins", "threads"}:
        view.go(panel="members")
    elif view.reading is not None:
        view.reading.to_present()


def _step_message(view: View, step: int) -> None:
    if view.reading is not None:
        view.reading.step(step)


def _offer(view: View) -> None:
    if view.reading is not None:
        view.reading.offer()
