"""Where this account is signed in, and how to end that."""

from datetime import datetime

import flet as ft

from sidetone.desktop.application import manage_account
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.settings.parts import block, page, setting
from sidetone.desktop.interface.view import View
from sidetone.protocol.accounts import LoginInfo
from sidetone.protocol.ids import LoginId

_NONE: list[LoginInfo] = []


@ft.component
def SessionsPage(view: View) -> ft.Control:
    """List the logins of the account that is open."""
    logins, set_logins = hooks.state(_NONE)
    account = view.account
    if account is None:
        return page(tr("Sessions"))

    async def read() -> None:
        set_logins(await manage_account.list_logins(account))

    async def end(login: LoginId) -> None:
        await manage_account.end_login(account, login)
        await read()

    async def end_others() -> None:
        await manage_account.end_other_logins(account)
        await read()

    ft.use_effect(lambda: view.start(read()), [])
    rows = [
        setting(
            login.client or tr("Unknown program"),
            _words(view, login),
            kit.text(tr("This one"), "label", theme.GOOD)
            if login.current
            else kit.button(
                f"end-{login.id}", tr("Sign out"), view.act(end, login.id), kind="quiet"
            ),
        )
        for login in logins
    ]
    return page(
        tr("Sessions"),
        *([block(*rows)] if rows else []),
        ft.Row(
            [
                kit.button(
                    "end-others",
                    tr("Sign out everywhere else"),
                    view.act(end_others),
                    kind="danger",
                )
            ]
        ),
    )


def _words(view: View, login: LoginInfo) -> str:
    used = datetime.fromtimestamp(login.used_at_ms / 1000).astimezone().strftime("%x %H:%M")
    hidden = view.core.preferences.current.privacy.streamer_mode
    return tr("{address}, last used {time}", address="…" if hidden else login.address, time=used)
