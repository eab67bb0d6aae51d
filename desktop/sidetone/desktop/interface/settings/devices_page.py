"""The keys of one's identity: on which devices they are, and how they come to a further one."""

from datetime import datetime

import flet as ft

from sidetone.desktop.application import manage_account
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing
from sidetone.desktop.interface.settings.account_page import qr
from sidetone.desktop.interface.settings.parts import group, page
from sidetone.desktop.interface.view import View
from sidetone.protocol.accounts import DeviceInfo

_NONE: list[DeviceInfo] = []


@ft.component
def DevicesPage(view: View) -> ft.Control:
    """Link devices and keep the recovery phrase."""
    devices, set_devices = hooks.state(_NONE)
    account = view.account
    if account is None:
        return page(tr("Devices and keys"))

    async def read() -> None:
        set_devices(await manage_account.list_devices(account))

    ft.use_effect(lambda: view.start(read()), [])
    own = next((d.identity_key for d in devices if d.id == account.client.device), b"")
    return page(
        tr("Devices and keys"),
        kit.text(
            tr("Friends know you by a key: a device without it looks like a stranger to them."),
            color=theme.QUIET,
        ),
        group(tr("Devices"), *(_device(account, each, own) for each in devices)),
        hooks.keyed("give", GiveKey, view, account, read),
        hooks.keyed("take", TakeKey, view, account, read),
        hooks.keyed("phrase", Phrase, view, account, read),
    )


def _device(account: Account, device: DeviceInfo, own: bytes) -> ft.Control:
    since = datetime.fromtimestamp(device.created_at_ms / 1000).astimezone().strftime("%x %H:%M")
    here = device.id == account.client.device
    same = device.identity_key == own
    words = tr("has your key") if same else tr("has another key")
    return ft.Row(
        [
            ft.Icon(ft.Icons.KEY, size=18, color=theme.GOOD if same else theme.WARNING),
            kit.text(tr("This device") if here else tr("A device"), "name"),
            kit.text(tr("since {time}, {words}", time=since, words=words), "small", theme.QUIET),
        ],
        spacing=10,
    )


@ft.component
def GiveKey(view: View, account: Account, done: kit.Handler) -> ft.Control:
    """Give the key to a device that shows a code."""
    code = hooks.entry("")
    doing = Doing()

    async def give() -> None:
        await account.client.linking.give(code.value)
        code.set("")
        view.notice(tr("The other device has your key now."))
        await done()

    submit = view.act(doing.run, give)

    return group(
        tr("Link another device"),
        kit.text(
            tr("Sign in on it, take the key of another device there, enter its code here."),
            "small",
            theme.QUIET,
        ),
        kit.field(
            "link-code",
            tr("Code of the other device"),
            code.value,
            code.set,
            on_submit=submit,
        ),
        *doing.shown("link-problem"),
        ft.Row([kit.button("link-give", tr("Give it my key"), submit)]),
    )


@ft.component
def TakeKey(view: View, account: Account, done: kit.Handler) -> ft.Control:
    """Show a code and wait for the key of another device."""
    code, set_code = hooks.state("")
    doing = Doing()

    async def ask() -> None:
        linking = account.client.linking
        set_code(await linking.ask())
        try:
            await linking.linked()
            view.notice(tr("This device has your key now."))
            await done()
        finally:
            set_code("")

    if not code:
        return group(
            tr("Is this the new device?"),
            *doing.shown("take-problem"),
            ft.Row(
                [
                    kit.button(
                        "link-ask",
                        tr("Take the key of another device"),
                        view.act(doing.run, ask),
                        kind="quiet",
                    )
                ]
            ),
        )
    hidden = view.core.preferences.current.privacy.streamer_mode
    shown = tr("Hidden: streamer mode is on.") if hidden else code
    return group(
        tr("Enter this on the other device within ten minutes"),
        kit.semantics("link-shown", kit.text(shown, "screen", selectable=True), shown),
        *([] if hidden else [ft.Row([ft.Image(src=qr(code), width=180, height=180)])]),
    )


@ft.component
def Phrase(view: View, account: Account, done: kit.Handler) -> ft.Control:
    """Show the recovery phrase, or bring the key back by it."""
    shown, set_shown = hooks.state(False)
    words = hooks.entry("")
    doing = Doing()

    async def restore() -> None:
        await account.client.linking.restore(words.value)
        words.set("")
        view.notice(tr("Your key is back on this device."))
        await done()

    hint = tr("24 words for paper: whoever has them is you. Nobody else can bring a key back.")
    reveal = tr("Hide") if shown else tr("Show my phrase")
    field, back = tr("Words from your paper"), tr("Bring my key back")
    show = kit.button("phrase-show", reveal, lambda: set_shown(not shown), kind="quiet")
    take = kit.button("phrase-restore", back, view.act(doing.run, restore), kind="quiet")
    return group(
        tr("Recovery phrase"),
        kit.text(hint, "small", theme.QUIET),
        *([_written(account.client.linking.phrase())] if shown else []),
        ft.Row([show]),
        kit.field("phrase-words", field, words.value, words.set, multiline=True, max_lines=3),
        *doing.shown("phrase-problem"),
        ft.Row([take]),
    )


def _written(phrase: str) -> ft.Control:
    return kit.semantics(
        "phrase", kit.text(phrase, selectable=True, font_family=theme.MONO), phrase
    )
