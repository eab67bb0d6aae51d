"""Whose home this is, and the way to one's other accounts."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.sign_in import sign_out
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.forms import ask
from sidetone.desktop.interface.view import View


@ft.component
def AccountMenu(view: View) -> ft.Control:
    """Name the account and its machine; a click offers the others."""
    view.watch(Topic("accounts"), Topic("place"))
    account = view.account
    if account is None:
        return ft.Container(visible=False)
    name = names.name_of(account.knowledge, account.id)
    waiting = len(view.core.returning)
    away = tr("{n} account away", n=waiting) if waiting else host_of(account.address)
    words = ft.Row(
        [
            ft.Column(
                [kit.line(name, "heading"), kit.line(away, "section", theme.FAINT)],
                spacing=0,
                expand=True,
                alignment=ft.MainAxisAlignment.CENTER,
            ),
            ft.Icon(ft.Icons.EXPAND_MORE, size=18, color=theme.QUIET),
        ]
    )
    menu = ft.PopupMenuButton(
        content=ft.Container(
            words, height=52, padding=ft.Padding.symmetric(horizontal=16), ink=True
        ),
        items=_items(view, account),
        tooltip="",
    )
    label = tr("{name} at {machine}: accounts", name=name, machine=host_of(account.address))
    return ft.Container(
        kit.semantics("account-menu", menu, label, button=True),
        border=ft.Border.only(bottom=ft.BorderSide(1, theme.LINE)),
    )


def host_of(address: str) -> str:
    """Return the machine's name and port out of its address, for people.

    >>> host_of("sidetone://play.example:8443#PIN")
    'play.example:8443'
    """
    return address.partition("://")[2].partition("#")[0]


def _items(view: View, account: Account) -> list[ft.PopupMenuItem]:
    items = [
        kit.menu_item(
            f"account-{names.name_of(each.knowledge, each.id)}",
            f"{names.name_of(each.knowledge, each.id)} ({host_of(each.address)})",
            ft.Icons.RADIO_BUTTON_CHECKED if each is account else ft.Icons.RADIO_BUTTON_UNCHECKED,
            _to(view, each),
        )
        for each in view.core.accounts.values()
    ]
    items += [
        kit.menu_item(
            f"away-{each.remembered.name}",
            tr("{name} is away", name=each.remembered.name),
            ft.Icons.CLOUD_OFF,
            lambda: view.go(screen="start"),
        )
        for each in view.core.returning.values()
    ]

    async def end() -> None:
        # Whoever comes back comes back here.
        view.link = account.address
        await sign_out(view.core, account)

    return [
        *items,
        kit.menu_line(),
        kit.menu_item(
            "account-add",
            tr("Add an account"),
            ft.Icons.PERSON_ADD_ALT,
            lambda: view.go(screen="sign_in"),
        ),
        kit.menu_item(
            "account-sign-out",
            tr("Sign out"),
            ft.Icons.LOGOUT,
            lambda: ask(
                view,
                tr("Sign out?"),
                tr("The keys of this device stay on it. You need your password to come back."),
                tr("Sign out"),
                end,
            ),
            danger=True,
        ),
    ]


def _to(view: View, account: Account) -> kit.Handler:
    return lambda: view.go(screen="friends", account=account.id, server=None, channel=None)
