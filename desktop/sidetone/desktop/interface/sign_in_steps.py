"""What may be asked on the way in: a name after a provider, a second factor, a new password."""

from collections.abc import Callable

import flet as ft

from sidetone.desktop.application import sign_in
from sidetone.desktop.application.provider_sign_in import finish
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.follow_link import arrived
from sidetone.desktop.interface.forms import Doing
from sidetone.desktop.interface.sign_in_ways import SetStep, code_field
from sidetone.desktop.interface.view import View
from sidetone.protocol.accounts import NameRequired, ProviderStep


@ft.component
def ProviderStepForm(
    view: View, address: str, step: ProviderStep, set_step: SetStep
) -> ft.Control:
    """Ask for what a provider's answer leaves open: the name of a new account, or a code."""
    new = isinstance(step, NameRequired)
    given = hooks.entry(step.suggestion if isinstance(step, NameRequired) else "")
    doing = Doing()

    async def enter() -> None:
        arrived(view, await finish(view.core, address, step, given.value.strip()))

    async def submit() -> None:
        await doing.run(enter)

    if new:
        words = tr("You are new here. Choose the name that others find you by.")
        field = kit.field(
            "sign-in-name", tr("Name"), given.value, given.set, on_submit=submit, autofocus=True
        )
    else:
        words = tr("This account has a second factor.")
        field = code_field(given.value, given.set, submit)
    return _form(
        words,
        [field],
        [
            *doing.shown("sign-in-problem"),
            kit.button("sign-in-submit", tr("Go on"), submit, height=44, disabled=doing.busy),
            kit.button("sign-in-cancel", tr("Cancel"), lambda: set_step(None), kind="quiet"),
        ],
    )


@ft.component
def ResetForm(view: View, address: str, back: Callable[[], None]) -> ft.Control:
    """Have a code sent to the address of the account, and choose a new password with it."""
    mail = hooks.entry("")
    code = hooks.entry("")
    password = hooks.entry("")
    asked, set_asked = hooks.state(False)
    doing = Doing()

    async def ask() -> None:
        await sign_in.ask_reset(view.core, address, mail.value)
        set_asked(True)

    async def reset() -> None:
        await sign_in.reset_password(view.core, address, code.value, password.value)
        view.notice(tr("The password is changed; sign in with it."))
        back()

    async def submit() -> None:
        await doing.run(reset if asked else ask)

    label = tr("E-mail address of the account")
    first = kit.field("reset-mail", label, mail.value, mail.set, on_submit=submit, autofocus=True)
    fields: list[ft.Control] = [first]
    words = tr("If an account here has this address, a code is sent to it.")
    if asked:
        words = tr("If an account here has this address, a code is on its way to it.")
        fields += [
            kit.field("reset-code", tr("Code of the mail"), code.value, code.set, autofocus=True),
            kit.field(
                "reset-password",
                tr("New password"),
                password.value,
                password.set,
                password=True,
                can_reveal_password=True,
                on_submit=submit,
            ),
        ]
    label = tr("Change password") if asked else tr("Send the code")
    return _form(
        words,
        fields,
        [
            *doing.shown("sign-in-problem"),
            kit.button("sign-in-submit", label, submit, height=44, disabled=doing.busy),
            kit.button("reset-back", tr("Back to signing in"), back, kind="quiet"),
        ],
    )


def _form(words: str, fields: list[ft.Control], foot: list[ft.Control]) -> ft.Control:
    return ft.Column(
        [kit.text(words, "body", theme.QUIET), *fields, *foot],
        tight=True,
        spacing=14,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )
