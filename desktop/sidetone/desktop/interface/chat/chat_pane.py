"""The channel that is open: its head, its messages, where one writes, and what stands beside."""

from functools import partial

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.place import Panel
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat.message_menu import offer_chosen
from sidetone.desktop.interface.chat.messages import Messages
from sidetone.desktop.interface.chat.pane import Pane
from sidetone.desktop.interface.chat.pins_panel import PinsPanel
from sidetone.desktop.interface.chat.search_panel import SearchPanel
from sidetone.desktop.interface.chat.thread_column import ThreadColumn
from sidetone.desktop.interface.chat.threads_panel import ThreadsPanel
from sidetone.desktop.interface.view import Reading, View
from sidetone.desktop.interface.voice.incoming import CallButton
from sidetone.protocol.ids import ChannelId

_ICONS = {
    "group": ft.Icons.GROUP,
    "direct": ft.Icons.ALTERNATE_EMAIL,
    "voice": ft.Icons.VOLUME_UP,
    "thread": ft.Icons.FORUM_OUTLINED,
}


@ft.component
def ChatPane(view: View) -> ft.Control:
    """Draw the open channel, once the one before it has gone: both at once would take long."""
    drawn, draw = hooks.state(False)
    ft.use_effect(lambda: view.turns.take(lambda: draw(True)), [])
    channel = view.place.channel
    account = view.account
    if account is None or channel is None or not drawn:
        return ft.Container(expand=True, bgcolor=theme.GROUND)
    return hooks.keyed(f"{account.id}-{channel}", OpenChannel, view, account, channel)


@ft.component
def OpenChannel(view: View, account: Account, channel: ChannelId) -> ft.Control:
    """Draw one channel, with a thread or a panel beside it."""
    view.watch(Topic("place"))
    pane, _ = hooks.state(Pane(view, account, channel))
    _read(view, pane)
    message = view.place.message

    def follow() -> None:
        if message is not None and view.place.thread is None:
            pane.jump(message)

    ft.use_effect(follow, [message])
    beside: list[ft.Control] = []
    thread = view.place.thread
    if thread is not None:
        beside.append(hooks.keyed(f"thread-{thread}", ThreadColumn, view, account, thread))
    elif view.place.panel == "search":
        beside.append(hooks.keyed("search", SearchPanel, pane))
    elif view.place.panel == "pins":
        beside.append(hooks.keyed("pins", PinsPanel, pane))
    elif view.place.panel == "threads":
        beside.append(hooks.keyed("threads", ThreadsPanel, pane))
    column = ft.Column([Header(pane), Messages(pane)], spacing=0, expand=True)
    return ft.Container(
        ft.Row(
            [column, *beside],
            spacing=0,
            expand=True,
            vertical_alignment=ft.CrossAxisAlignment.STRETCH,
        ),
        expand=True,
        bgcolor=theme.GROUND,
    )


def _read(view: View, pane: Pane) -> None:
    """Have the window read in *pane* as long as that is seen: a hook."""
    reading, _ = hooks.state(
        Reading(pane.seen, pane.go_to_present, pane.step, partial(offer_chosen, pane))
    )
    view.reading = reading

    def leave() -> None:
        if view.reading is reading:
            view.reading = None

    ft.use_effect(lambda: leave, [])


@ft.component
def Header(pane: Pane) -> ft.Control:
    """Draw what the channel is called and what it is for, and the doors to its panels."""
    pane.view.watch(pane.home, Topic("place"))
    known = pane.known
    direct = known is not None and known.kind == "direct"
    group = pane.community is not None and pane.community.server.kind == "group"
    kind = "group" if group else known.kind if known is not None else ""
    words: list[ft.Control] = [
        ft.Icon(_ICONS.get(kind, ft.Icons.TAG), color=theme.FAINT, size=22),
        kit.line(_title(pane), "heading"),
    ]
    if known is not None and known.topic:
        words.append(ft.VerticalDivider(width=20, color=theme.LINE))
        words.append(kit.line(known.topic, "small", theme.QUIET, expand=True, tooltip=known.topic))
    else:
        words.append(ft.Container(expand=True))
    if known is not None and direct:
        words.append(CallButton(pane.view, pane.account, pane.channel))
    if known is not None and known.kind == "text":
        words.append(_door(pane, "threads", ft.Icons.FORUM_OUTLINED, tr("Threads")))
    words.append(_door(pane, "pins", ft.Icons.PUSH_PIN_OUTLINED, tr("Pinned messages")))
    words.append(_door(pane, "search", ft.Icons.SEARCH, tr("Search")))
    if group or not direct:
        words.append(_door(pane, "members", ft.Icons.PEOPLE_OUTLINE, tr("Members")))
    return ft.Container(
        ft.Row(words, spacing=6),
        height=52,
        padding=ft.Padding.only(left=16, right=10),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
    )


def _title(pane: Pane) -> str:
    community, known = pane.community, pane.known
    if known is None or community is None:
        return ""
    if community.server.kind == "community":
        return known.name
    others = [user for user in community.members if user != pane.account.id]
    knowledge = pane.account.knowledge
    called = [knowledge.users[user] for user in knowledge.users if user in others]
    return community.server.name or ", ".join(user.display_name or user.name for user in called)


def _door(pane: Pane, panel: Panel, icon: ft.IconData, label: str) -> ft.Control:
    place = pane.view.place
    here = place.panel == panel and place.thread is None

    def go() -> None:
        pane.view.go(panel="none" if here else panel, thread=None)

    color, ground = (theme.TEXT, theme.CHOSEN) if here else (theme.QUIET, None)
    return kit.icon_button(f"panel-{panel}", icon, label, go, color=color, bgcolor=ground)
