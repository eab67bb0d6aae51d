"""Friends: who is there, who asks, who is blocked, and the way to a new one."""

from collections.abc import Callable
from functools import partial

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.befriend import ask_friend
from sidetone.desktop.domain.people import TABS, FriendsTab, people_of, requests_waiting
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing, empty
from sidetone.desktop.interface.people.friend_row import FriendRow
from sidetone.desktop.interface.people.welcome import Welcome, is_empty
from sidetone.desktop.interface.view import View


@ft.component
def FriendsPane(view: View) -> ft.Control:
    """Draw one tab of the people one knows; an account without anything is welcomed instead."""
    view.watch(Topic("people"), Topic("servers"), Topic("accounts"), Topic("place"))
    place, set_place = hooks.state(0)
    tab = TABS[place]
    account = view.account
    if account is None:
        return ft.Container(expand=True, bgcolor=theme.GROUND)
    account.want_names(*account.knowledge.relationships)
    waiting = requests_waiting(account.knowledge)
    tabs = [
        _tab(each, partial(set_place, number), waiting, here=tab == each)
        for number, each in enumerate(TABS)
    ]
    header = ft.Container(
        ft.Row(
            [
                ft.Icon(ft.Icons.PEOPLE, color=theme.FAINT),
                kit.text(tr("Friends"), "heading"),
                ft.Container(width=8),
                *tabs,
            ],
            spacing=8,
        ),
        height=52,
        padding=ft.Padding.symmetric(horizontal=16),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
    )
    if is_empty(account):
        body = hooks.keyed(f"welcome-{account.id}", Welcome, view, account)
    else:
        body = hooks.keyed(f"people-{account.id}-{tab}", People, view, account, tab)
    return ft.Container(
        ft.Column(
            [
                header,
                hooks.keyed(f"add-{account.id}", AddFriend, view, account),
                ft.Container(body, expand=True),
            ],
            spacing=0,
        ),
        expand=True,
        bgcolor=theme.GROUND,
    )


def _tab(tab: FriendsTab, choose: Callable[[], None], waiting: int, *, here: bool) -> ft.Control:
    words = tab_words(tab)
    content: list[ft.Control] = [kit.text(words, "label", theme.TEXT if here else theme.QUIET)]
    if tab == "requests" and waiting:
        content.append(kit.badge(waiting))
    return kit.row(
        f"friends-{tab}",
        words,
        ft.Row(content, spacing=6, tight=True),
        choose,
        chosen=here,
        margin=0,
    )


def tab_words(tab: FriendsTab) -> str:
    """Return what a tab is called."""
    match tab:
        case "online":
            return tr("Online")
        case "all":
            return tr("All")
        case "requests":
            return tr("Requests")
        case "blocked":
            return tr("Blocked")


@ft.component
def AddFriend(view: View, account: Account) -> ft.Control:
    """Ask for a name, and ask who has it."""
    name = hooks.entry("")
    doing = Doing()

    async def ask() -> None:
        relationship = await ask_friend(account, name.value)
        name.set("")
        if relationship.kind == "friend":
            view.notice(tr("You are friends now."))
        else:
            view.notice(tr("Asked. You are friends as soon as they accept."))

    async def submit() -> None:
        await doing.run(ask)

    field = kit.field(
        "friend-name",
        tr("Find a friend by the name they sign in with"),
        name.value,
        name.set,
        on_submit=submit,
        dense=True,
    )
    field.expand = True
    bar = ft.Row(
        [
            field,
            kit.button("friend-add", tr("Ask"), submit, disabled=doing.busy or not name.value),
        ],
        spacing=10,
    )
    return ft.Container(
        ft.Column([bar, *doing.shown("friend-problem")], spacing=6, tight=True),
        padding=ft.Padding.only(left=18, right=18, top=14, bottom=6),
    )


@ft.component
def People(view: View, account: Account, tab: FriendsTab) -> ft.Control:
    """List the people of one tab."""
    view.watch(Topic("people"), Topic("presences"))
    users = people_of(account.knowledge, tab)
    if not users:
        icon = ft.Icons.BLOCK if tab == "blocked" else ft.Icons.PEOPLE_OUTLINE
        nobody = empty("friends-none", icon, _nobody(tab))
        return ft.Container(nobody, expand=True, alignment=ft.Alignment.CENTER)
    rows: list[ft.Control] = [
        hooks.keyed(str(user), FriendRow, view, account, user) for user in users
    ]
    count = trn("{n} person", "{n} people", len(users))
    return ft.ListView([kit.section(f"{tab_words(tab)} — {count}"), *rows], expand=True, spacing=1)


def _nobody(tab: FriendsTab) -> str:
    match tab:
        case "online":
            return tr("None of your friends is there right now.")
        case "all":
            return tr("No friends yet. Ask one by their name above.")
        case "requests":
            return tr("Nobody waits for an answer.")
        case "blocked":
            return tr("Nobody is blocked.")
