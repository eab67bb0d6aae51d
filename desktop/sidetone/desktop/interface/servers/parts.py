"""What dialogs and sections about servers have in common."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Refusal
from sidetone.protocol.servers import Server

DIALOG_WIDTH = 460
Work = Callable[[], Any]


class Doing:
    """What a dialog is at: whether it waits for the server, and what went wrong last."""

    def __init__(self) -> None:
        self.busy, self._set_busy = hooks.state(False)
        self.problem, self._set_problem = hooks.state("")

    async def run(self, work: Work) -> None:
        """Do *work* unless something is being done; keep why it was refused."""
        if self.busy:
            return
        self._set_busy(True)
        self._set_problem("")
        try:
            await work()
        except Refusal as refusal:
            self._set_problem(refusal.detail)
        finally:
            self._set_busy(False)

    def shown(self, identifier: str) -> list[ft.Control]:
        """Return the line that says what went wrong, if anything did."""
        if not self.problem:
            return []
        line = kit.text(self.problem, "small", theme.BAD)
        return [kit.semantics(identifier, line, self.problem, live_region=True)]


def dialog_body(
    identifier: str, title: str, content: Sequence[ft.Control], actions: Sequence[ft.Control]
) -> ft.Control:
    """Return all of a dialog: what it is about, what one fills in, what one can do."""
    foot = ft.Row(list(actions), alignment=ft.MainAxisAlignment.END, spacing=8)
    stretched = ft.CrossAxisAlignment.STRETCH
    middle = ft.Column(list(content), tight=True, spacing=12, horizontal_alignment=stretched)
    return kit.semantics(
        identifier,
        ft.Column(
            [kit.text(title, "title"), ft.Container(middle, padding=ft.Padding.only(top=4)), foot],
            tight=True,
            spacing=12,
            horizontal_alignment=stretched,
        ),
        title,
    )


def show_dialog(view: View, content: ft.Control, *, width: float = DIALOG_WIDTH) -> None:
    """Open a dialog of which all is drawn by the component *content*."""
    view.open(kit.sheet(content, width=width))


def cancel(view: View) -> ft.Control:
    """Return the button that changes nothing."""
    return kit.button("dialog-cancel", tr("Cancel"), view.close, kind="quiet")


def ask(view: View, title: str, words: str, label: str, work: Work) -> None:
    """Ask before something that cannot be undone; *label* says it again on the button."""
    show_dialog(view, hooks.keyed("confirm", Confirm, view, title, words, label, work))


@ft.component
def Confirm(view: View, title: str, words: str, label: str, work: Work) -> ft.Control:
    """Say what would happen, and do it only on a second click."""
    doing = Doing()

    async def finish() -> None:
        await work()
        view.close()

    async def confirm() -> None:
        await doing.run(finish)

    return dialog_body(
        "confirm",
        title,
        [kit.text(words, color=theme.QUIET), *doing.shown("confirm-problem")],
        [
            cancel(view),
            kit.button("confirm-yes", label, confirm, kind="danger", disabled=doing.busy),
        ],
    )


@ft.component
def ServerFace(
    view: View, account: Account, server: Server, size: float, color: Any
) -> ft.Control:
    """Draw the icon of a server, or its initials while there is none."""
    view.watch(Topic("file", server.icon))
    picture = account.pictures.get(server.icon) if server.icon is not None else None
    if picture is None:
        style = "heading" if size > 32 else "label"
        return kit.text(names.initials(server.name), style, color)
    return ft.Image(
        picture, width=size, height=size, fit=ft.BoxFit.COVER, exclude_from_semantics=True
    )


@ft.component
def UserFace(
    view: View, account: Account, user: UserId, radius: float, presence: Any
) -> ft.Control:
    """Draw the picture of somebody, or their initials; *presence* is the colour of a dot."""
    known = account.knowledge.users.get(user)
    file = known.avatar if known is not None else None
    view.watch(Topic("user", user), Topic("file", file))
    return kit.avatar(
        names.initials(names.name_of(account.knowledge, user)),
        names.avatar_color(user),
        radius,
        picture=account.pictures.get(file) if file is not None else None,
        presence=presence,
    )


class Picked(NamedTuple):
    """A file that the user chose."""

    name: str
    content: bytes


async def pick_file(endings: Sequence[str]) -> Picked | None:
    """Let the user choose a file with one of *endings*; None: they changed their mind."""
    picker = ft.FilePicker()
    files = await picker.pick_files(
        file_type=ft.FilePickerFileType.CUSTOM, allowed_extensions=list(endings), with_data=True
    )
    if not files:
        return None
    content = cast("bytes | None", cast("Any", files[0]).bytes)
    return Picked(files[0].name, content or b"")


def choice(
    identifier: str,
    label: str,
    value: str,
    options: Sequence[tuple[str, str]],
    on_change: Callable[[str], Any],
    **more: Any,
) -> ft.Control:
    """Return a list to choose one from: pairs of a key and what it is called."""
    control = ft.Dropdown(
        label=label,
        value=value,
        options=[ft.DropdownOption(key=key, text=text) for key, text in options],
        on_select=lambda e: on_change(e.control.value or value),
        filled=True,
        fill_color=theme.RAISED,
        border_color=theme.LINE,
        border_radius=theme.RADIUS,
        **more,
    )
    return kit.semantics(identifier, control, label)


def empty(identifier: str, icon: ft.IconData, words: str) -> ft.Control:
    """Return what stands in a list with nothing in it: what it is for."""
    return kit.semantics(
        identifier,
        ft.Container(
            ft.Column(
                [ft.Icon(icon, size=36, color=theme.FAINT), kit.text(words, color=theme.QUIET)],
                horizontal_alignment=ft.CrossAxisAlignment.CENTER,
                spacing=10,
            ),
            padding=30,
            alignment=ft.Alignment.CENTER,
        ),
        words,
    )
