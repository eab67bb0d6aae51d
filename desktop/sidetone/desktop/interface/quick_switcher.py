"""Ctrl+K: a few letters, Enter, and one is there."""

from functools import partial

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.quick_switch import Target, TargetKind, found
from sidetone.desktop.domain.targets import targets_of
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import show_dialog
from sidetone.desktop.interface.people.faces import show_conversation
from sidetone.desktop.interface.people.friend_row import talk
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, ServerId, UserId

_ICONS: dict[TargetKind, ft.IconData] = {
    "server": ft.Icons.DNS_OUTLINED,
    "channel": ft.Icons.TAG,
    "voice": ft.Icons.VOLUME_UP,
    "conversation": ft.Icons.CHAT_BUBBLE_OUTLINE,
    "person": ft.Icons.PERSON_OUTLINE,
}
_STEPS = {"Arrow Down": 1, "Arrow Up": -1}


def open_quick_switcher(view: View) -> None:
    """Ask where to go."""
    show_dialog(view, hooks.keyed("switcher", QuickSwitcher, view), width=520)


@ft.component
def QuickSwitcher(view: View) -> ft.Control:
    """List what fits to what was typed; the arrows choose, Enter goes."""
    query, set_query = hooks.state("")
    chosen, set_chosen = hooks.state(0)
    targets = [
        target
        for account in view.core.accounts.values()
        for target in targets_of(account.knowledge)
    ]
    listed = found(query, targets)
    at = min(chosen, max(len(listed) - 1, 0))

    def typed(text: str) -> None:
        set_query(text)
        set_chosen(0)

    def pressed(key: str) -> bool:
        step = _STEPS.get(key)
        if step is not None and listed:
            set_chosen((at + step) % len(listed))
        return step is not None

    view.keys_taken_by = pressed
    ft.use_effect(lambda: None, [], lambda: _give_back(view))

    def go(target: Target) -> None:
        view.close()
        go_to(view, target)

    def enter() -> None:
        if listed:
            go(listed[at])

    rows = [
        hooks.keyed(f"{each.account}-{each.of}", Found, each, partial(go, each), here=place == at)
        for place, each in enumerate(listed)
    ]
    hint = tr("Where to? A server, a channel, somebody …")
    field = kit.field("switcher-query", hint, query, typed, on_submit=enter, autofocus=True)
    nothing = kit.text(tr("Nothing is called like this."), "small", theme.QUIET)
    return kit.semantics(
        "quick-switcher",
        ft.Column(
            [field, ft.Column(rows, spacing=1, tight=True) if rows else nothing],
            tight=True,
            spacing=12,
            horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        tr("Quick switcher"),
    )


@ft.component
def Found(target: Target, go: kit.Handler, *, here: bool) -> ft.Control:
    """Draw one place or person."""
    content = ft.Row(
        [
            ft.Icon(_ICONS[target.kind], size=18, color=theme.QUIET),
            kit.line(target.name, "name" if target.waiting else "body", expand=True),
            kit.line(target.where, "small", theme.FAINT),
        ],
        spacing=10,
    )
    label = f"{target.name}, {target.where}" if target.where else target.name
    return kit.row(f"found-{target.name}", label, content, go, chosen=here, margin=0)


def go_to(view: View, target: Target) -> None:
    """Go to a place, or write to a person."""
    account = view.core.accounts.get(UserId(target.account))
    if account is None:
        return
    match target.kind:
        case "server":
            view.open_server(account, ServerId(target.of))
        case "conversation":
            show_conversation(view, account, ServerId(target.of))
        case "person":
            view.start(talk(view, account, UserId(target.of)))
        case "channel" | "voice":
            _to_channel(view, account, ChannelId(target.of))


def _to_channel(view: View, account: Account, channel: ChannelId) -> None:
    home = account.knowledge.home_of(channel)
    known = account.knowledge.channel(channel)
    if home is None or known is None:
        return
    view.open_server(account, ServerId(home.server.id))
    if known.kind != "voice":
        view.open_channel(account, channel)


def _give_back(view: View) -> None:
    view.keys_taken_by = None
