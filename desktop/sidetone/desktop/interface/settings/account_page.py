"""Who one is to others, and what opens the door: profile, password, second factor."""

import io
from typing import Any

import flet as ft

from sidetone.desktop.application import manage_account
from sidetone.desktop.application.account import Account
from sidetone.desktop.application.sign_in import sign_out
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing
from sidetone.desktop.interface.settings.parts import block, group, page, setting
from sidetone.desktop.interface.view import View
from sidetone.protocol.accounts import Me, TotpSecret

_QR_SCALE = 5


@ft.component
def AccountPage(view: View) -> ft.Control:
    """Show the account that is open."""
    view.watch(Topic("accounts"))
    me, set_me = hooks.state(NOBODY)
    account = view.account
    if account is None:
        return page(tr("Account"))

    async def read() -> None:
        set_me([await manage_account.read_me(account)])

    ft.use_effect(lambda: view.start(read()), [])
    return page(
        tr("Account"),
        hooks.keyed("profile", Profile, view, account),
        hooks.keyed("password", Password, view, account),
        *([hooks.keyed("factor", SecondFactor, view, account, me[0])] if me else []),
        block(
            setting(
                tr("Sign out"),
                tr("The keys of this device stay on it."),
                kit.button(
                    "sign-out", tr("Sign out"), view.act(_leave, view, account), kind="danger"
                ),
            )
        ),
    )


NOBODY: list[Me] = []


async def _leave(view: View, account: Account) -> None:
    # Whoever comes back comes back here.
    view.link = account.address
    await sign_out(view.core, account)
    view.go(
        screen="sign_in" if not view.core.accounts else "friends",
        account=next(iter(view.core.accounts), None),
    )


@ft.component
def Profile(view: View, account: Account) -> ft.Control:
    """Change how one is called, and what one says of oneself."""
    me = account.knowledge.me
    known = account.knowledge.users.get(me.id, me)
    name = hooks.entry(known.display_name)
    bio = hooks.entry(known.bio)
    doing = Doing()

    async def save() -> None:
        await manage_account.edit_profile(account, name.value, bio.value)
        view.notice(tr("Your profile was changed."))

    return group(
        tr("Profile"),
        kit.text(tr("You sign in as {name}.", name=me.name), "small", theme.QUIET),
        kit.field("profile-name", tr("Displayed name"), name.value, name.set, max_length=32),
        kit.field(
            "profile-bio",
            tr("About you"),
            bio.value,
            bio.set,
            multiline=True,
            max_lines=5,
            max_length=500,
        ),
        *doing.shown("profile-problem"),
        ft.Row([kit.button("profile-save", tr("Save"), view.act(doing.run, save))]),
    )


@ft.component
def Password(view: View, account: Account) -> ft.Control:
    """Change the password; all other devices are signed out."""
    old = hooks.entry("")
    new = hooks.entry("")
    doing = Doing()

    async def change() -> None:
        await manage_account.change_password(account, old.value, new.value)
        old.set("")
        new.set("")
        view.notice(tr("The password was changed; other devices are signed out."))

    label, submit = tr("Change password"), view.act(doing.run, change)
    save = kit.button("password-save", label, submit, kind="quiet")
    return group(
        tr("Password"),
        kit.field("password-old", tr("Present password"), old.value, old.set, password=True),
        kit.field(
            "password-new",
            tr("New password, at least 12 characters"),
            new.value,
            new.set,
            password=True,
            can_reveal_password=True,
            on_submit=submit,
        ),
        *doing.shown("password-problem"),
        ft.Row([save]),
    )


@ft.component
def SecondFactor(view: View, account: Account, me: Me) -> ft.Control:
    """Set up an authenticator app: its secret as a picture, then one of its codes."""
    password = hooks.entry("")
    code = hooks.entry("")
    secrets, set_secrets = hooks.state(NO_SECRET)
    recovery, set_recovery = hooks.state(NO_CODES)
    doing = Doing()

    async def begin() -> None:
        set_secrets([await manage_account.begin_second_factor(account, password.value)])
        password.set("")

    async def confirm() -> None:
        set_recovery(await manage_account.confirm_second_factor(account, code.value))
        set_secrets([])

    submit = view.act(doing.run, confirm if secrets else begin)
    problem = doing.shown("factor-problem")
    if recovery:
        return _recovery(recovery)
    if secrets:
        return _to_scan(secrets[0], code, problem, submit)
    if me.totp:
        return group(tr("Second factor"), kit.text(tr("It is on."), color=theme.GOOD))
    return group(
        tr("Second factor"),
        kit.text(
            tr("A code from your phone beside the password: who steals one lacks the other."),
            "small",
            theme.QUIET,
        ),
        kit.field(
            "factor-password",
            tr("Present password"),
            password.value,
            password.set,
            password=True,
            on_submit=submit,
        ),
        *problem,
        ft.Row([kit.button("factor-begin", tr("Set up"), submit, kind="quiet")]),
    )


def _recovery(codes: list[str]) -> ft.Control:
    words = tr("Keep these: each opens the door once when the app is lost.")
    return group(
        tr("Recovery codes"),
        kit.text(words),
        _copied("recovery-codes", "   ".join(codes), font_family=theme.MONO),
    )


def _to_scan(
    secret: TotpSecret, code: hooks.Entry[str], problem: list[ft.Control], submit: kit.Handler
) -> ft.Control:
    words = tr("Scan this with an authenticator app, then enter the code that it shows.")
    return group(
        tr("Second factor"),
        kit.text(words),
        ft.Row([ft.Image(src=qr(secret.uri), width=200, height=200)]),
        _copied("factor-secret", secret.secret, style="small", color=theme.QUIET),
        kit.field("factor-code", tr("Code"), code.value, code.set, on_submit=submit),
        *problem,
        ft.Row([kit.button("factor-confirm", tr("Turn on"), submit)]),
    )


def _copied(identifier: str, text: str, **looks: Any) -> ft.Control:
    """Return what one copies from the page."""
    return kit.semantics(identifier, kit.text(text, selectable=True, **looks), text)


NO_SECRET: list[TotpSecret] = []
NO_CODES: list[str] = []


def qr(text: str) -> bytes:
    """Return *text* as the PNG of a QR code."""
    import segno  # noqa: PLC0415 - a tenth of a second, and few look at this page

    picture = io.BytesIO()
    segno.make(text).save(picture, kind="png", scale=_QR_SCALE, border=3)
    return picture.getvalue()
