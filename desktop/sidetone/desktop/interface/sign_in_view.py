"""The first screen: which server machine, who you are, or a new account there."""

import flet as ft

from sidetone.desktop.application import sign_in
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.refusals import Refusal

_WIDTH = 400


@ft.component
def SignInView(view: View) -> ft.Control:
    """Ask for what opens the door, and say in words why it stays shut."""
    address, set_address = hooks.state(view.known_address)
    name, set_name = hooks.state("")
    password, set_password = hooks.state("")
    code, set_code = hooks.state("")
    asks_code, set_asks_code = hooks.state(False)
    new, set_new = hooks.state(False)
    problem, set_problem = hooks.state("")
    busy, set_busy = hooks.state(False)

    async def enter() -> None:
        if busy:
            return
        set_busy(True)
        set_problem("")
        try:
            if new:
                account = await sign_in.register(view.core, address, name, password)
            else:
                account = await sign_in.sign_in(view.core, address, name, password, code)
            view.go(screen="friends", account=account.id)
        except Refusal as refusal:
            if refusal.code == "second_factor_required":
                set_asks_code(True)
            else:
                set_problem(refusal.detail)
        finally:
            set_busy(False)

    fields = [
        kit.field(
            "sign-in-address", tr("Server address"), address, set_address, hint_text="sidetone://"
        ),
        kit.field("sign-in-name", tr("Name"), name, set_name, on_submit=enter, autofocus=True),
        kit.field(
            "sign-in-password",
            tr("Password"),
            password,
            set_password,
            password=True,
            can_reveal_password=True,
            on_submit=enter,
        ),
    ]
    if asks_code:
        fields.append(
            kit.field(
                "sign-in-code", tr("Code of your second factor"), code, set_code, on_submit=enter
            )
        )
    submit = tr("Create account") if new else tr("Sign in")
    other = tr("I have an account") if new else tr("Create an account")
    card = ft.Column(
        [
            _title(tr("Welcome"), tr("Talk with your people, and nobody else.")),
            *fields,
            kit.semantics(
                "sign-in-problem", kit.text(problem, "small", theme.BAD), problem, live_region=True
            )
            if problem
            else ft.Container(visible=False),
            kit.button(
                "sign-in-submit", submit, enter, width=_WIDTH - 72, height=44, disabled=busy
            ),
            kit.button("sign-in-other", other, lambda: set_new(not new), kind="quiet"),
        ],
        tight=True,
        spacing=14,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )
    return ft.Container(
        ft.Container(
            card,
            width=_WIDTH,
            padding=36,
            border_radius=18,
            bgcolor=theme.GROUND,
            border=ft.Border.all(1, theme.LINE),
        ),
        expand=True,
        alignment=ft.Alignment.CENTER,
        bgcolor=theme.RAIL,
    )


def _title(title: str, line: str) -> ft.Control:
    logo = ft.Container(
        ft.Icon(ft.Icons.GRAPHIC_EQ, color=theme.ON_ACCENT, size=26),
        bgcolor=theme.ACCENT,
        border_radius=14,
        padding=10,
    )
    words = ft.Column(
        [kit.text(title, "screen"), kit.text(line, "small", theme.QUIET)], spacing=0, tight=True
    )
    return ft.Row([logo, words], spacing=14)
