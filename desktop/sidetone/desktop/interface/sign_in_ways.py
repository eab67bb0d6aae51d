"""Name and password, or somebody else who says who you are."""

from collections.abc import Callable
from contextlib import suppress

import flet as ft

from sidetone.desktop.application import sign_in
from sidetone.desktop.application.provider_sign_in import ask_provider, finish, providers
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.follow_link import address_in, arrived
from sidetone.desktop.interface.forms import Doing
from sidetone.desktop.interface.view import View
from sidetone.protocol.accounts import LoggedIn, Provider, ProviderStep
from sidetone.protocol.refusals import Invalid, Refusal

SetStep = Callable[[ProviderStep | None], None]


@ft.component
def EnterForm(
    view: View,
    address: str,
    set_address: Callable[[str], None],
    set_step: SetStep,
    new: bool,
) -> ft.Control:
    """Ask for address, name and password; *new* makes the account."""
    name, password, code = hooks.entry(""), hooks.entry(""), hooks.entry("")
    asks_code, set_asks_code = hooks.state(False)
    doing = Doing()

    async def enter() -> None:
        given = _machine(address), name.value.strip(), password.value
        # An invite is an address too, and what one comes for.
        view.link = address
        try:
            if new:
                account = await sign_in.register(view.core, *given)
            else:
                account = await sign_in.sign_in(view.core, *given, code.value)
        except Refusal as refusal:
            if refusal.code != "second_factor_required" or asks_code:
                raise
            set_asks_code(True)
        else:
            arrived(view, account)

    async def submit() -> None:
        await doing.run(enter)

    fields = [
        _address_field(address, set_address),
        _name_field(name, submit, focused=bool(address)),
        _password_field(password, submit, new=new),
        *([code_field(code.value, code.set, submit)] if asks_code else []),
    ]
    where = address_in(address)
    label = tr("Create account") if new else tr("Sign in")
    return ft.Column(
        [
            *fields,
            *doing.shown("sign-in-problem"),
            kit.button("sign-in-submit", label, submit, height=44, disabled=doing.busy),
            hooks.keyed(f"providers-{where}", Providers, view, where, set_step),
        ],
        tight=True,
        spacing=14,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


def _machine(entered: str) -> str:
    """Return the address in what was *entered*. Raises ``Invalid`` where nothing was."""
    if not entered.strip():
        words = tr("Enter the address of a server; whoever runs it can give it to you.")
        raise Invalid("address_missing", words)
    return address_in(entered)


def _address_field(address: str, set_address: Callable[[str], None]) -> ft.Control:
    return kit.field(
        "sign-in-address",
        tr("Server address"),
        address,
        set_address,
        hint_text="sidetone://host:port#…",
        prefix_icon=ft.Icons.DNS_OUTLINED,
        autofocus=not address,
    )


def _name_field(name: hooks.Entry[str], submit: kit.Handler, *, focused: bool) -> ft.Control:
    return kit.field(
        "sign-in-name",
        tr("Name"),
        name.value,
        name.set,
        prefix_icon=ft.Icons.PERSON_OUTLINE,
        on_submit=submit,
        autofocus=focused,
        autofill_hints=[ft.AutofillHint.USERNAME],
    )


def _password_field(password: hooks.Entry[str], submit: kit.Handler, *, new: bool) -> ft.Control:
    return kit.field(
        "sign-in-password",
        tr("Password"),
        password.value,
        password.set,
        prefix_icon=ft.Icons.LOCK_OUTLINE,
        password=True,
        can_reveal_password=True,
        on_submit=submit,
        helper=tr("At least 12 characters, and none that many use.") if new else None,
    )


def code_field(code: str, set_code: Callable[[str], None], submit: kit.Handler) -> ft.Control:
    """Return where the code of the second factor is typed."""
    return kit.field(
        "sign-in-code",
        tr("Code of your app, or a recovery code"),
        code,
        set_code,
        on_submit=submit,
        autofocus=True,
        autofill_hints=[ft.AutofillHint.ONE_TIME_CODE],
    )


@ft.component
def Providers(view: View, address: str, set_step: SetStep) -> ft.Control:
    """Offer who else can say at *address* who somebody is."""
    nobody: list[Provider] = []
    listed, set_listed = hooks.state(nobody)
    doing = Doing()

    async def look() -> None:
        if address:
            # What is wrong with the address is said to who signs in.
            with suppress(Refusal):
                set_listed(await providers(view.core, address))

    ft.use_effect(look, [])

    def chosen(provider: str) -> kit.Handler:
        async def begin() -> None:
            await doing.run(lambda: _go_by(view, address, provider, set_step))

        return begin

    if not listed:
        return ft.Container(visible=False)
    words = tr("Go on in your browser …") if doing.busy else tr("or")
    buttons = [
        kit.button(
            f"provider-{each.id}",
            tr("Continue with {provider}", provider=each.title),
            chosen(each.id),
            kind="quiet",
            disabled=doing.busy,
        )
        for each in listed
    ]
    return ft.Column(
        [
            kit.text(words, "small", theme.QUIET, text_align=ft.TextAlign.CENTER),
            *buttons,
            *doing.shown("provider-problem"),
        ],
        tight=True,
        spacing=6,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH,
    )


async def _go_by(view: View, address: str, provider: str, set_step: SetStep) -> None:
    step = await ask_provider(
        view.core, address, provider, view.loopback, ft.UrlLauncher().launch_url
    )
    if isinstance(step, LoggedIn):
        arrived(view, await finish(view.core, address, step))
    else:
        set_step(step)
