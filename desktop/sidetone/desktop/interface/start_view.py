"""Where one waits for accounts whose server machines do not answer yet."""

import flet as ft

from sidetone.desktop.application.returning import Returning
from sidetone.desktop.application.sign_in import forget_login
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import told, tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.sign_in_view import card
from sidetone.desktop.interface.view import View


@ft.component
def StartView(view: View) -> ft.Control:
    """List the accounts that are being come back to, and say what each waits for."""
    view.watch(Topic("accounts"))
    rows = [returning_row(view, each) for each in view.core.returning.values()]
    return card(
        [
            kit.text(tr("One moment …"), "screen"),
            *rows,
            kit.button(
                "start-sign-in",
                tr("Sign in with another account"),
                lambda: view.go(screen="sign_in"),
                kind="quiet",
            ),
        ]
    )


def returning_row(view: View, returning: Returning) -> ft.Control:
    """Return a line about one account: who, what is wrong, and what can be done."""
    name, problem = returning.remembered.name, told(returning.problem)
    if returning.ended:
        words, color = tr("Sign in again: {problem}", problem=problem), theme.BAD
    elif problem:
        words, color = tr("Away, and tried again: {problem}", problem=problem), theme.BAD
    else:
        words, color = tr("Connecting …"), theme.QUIET

    def sign_in() -> None:
        view.link = returning.remembered.address
        view.start(forget_login(view.core, returning))
        view.go(screen="sign_in")

    again = (
        kit.button(f"sign-in-{name}", tr("Sign in"), sign_in, kind="quiet")
        if returning.ended
        else kit.icon_button(
            f"retry-{name}", ft.Icons.REFRESH, tr("Try again now"), returning.try_again
        )
    )
    forget = kit.icon_button(
        f"forget-{name}",
        ft.Icons.CLOSE,
        tr("Forget this account on this device"),
        view.act(forget_login, view.core, returning),
    )
    lines = ft.Column(
        [kit.line(name, "name"), kit.text(words, "small", color)], spacing=0, expand=True
    )
    return kit.semantics(f"returning-{name}", ft.Row([lines, again, forget], spacing=4))
