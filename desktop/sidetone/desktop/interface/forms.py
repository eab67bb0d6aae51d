"""What dialogs and forms have in common: fields that submit, their refusals, choices, pages."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Generic, TypeVar

import flet as ft

from sidetone.community import Community
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.refusals import Refusal
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import Server

T = TypeVar("T")

DIALOG_WIDTH: Final = 460
# Of a line to type in on a page of settings.
FIELD_WIDTH: Final = 560
_PICKED_MAX: Final = 8
# How much lower a button is than a line to type in, in the middle of which it stands.
_BUTTON_TOP: Final = 8
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
            self._set_problem(kit.sentence(refusal.detail))
        finally:
            self._set_busy(False)

    def shown(self, identifier: str) -> list[ft.Control]:
        """Return the line that says what went wrong, if anything did."""
        if not self.problem:
            return []
        line = kit.text(self.problem, "small", theme.BAD)
        # Without a label: the words themselves are read aloud, and once.
        return [kit.semantics(identifier, line, live_region=True)]


def dialog_body(
    identifier: str, title: str, content: Sequence[ft.Control], actions: Sequence[ft.Control]
) -> ft.Control:
    """Return all of a dialog: what it is about, what one fills in, what one can do."""
    foot = ft.Row(list(actions), alignment=ft.MainAxisAlignment.END, spacing=8)
    stretched = ft.CrossAxisAlignment.STRETCH
    middle = ft.Column(list(content), tight=True, spacing=14, horizontal_alignment=stretched)
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
            kit.button(
                "confirm-yes", label, confirm, kind="danger", disabled=doing.busy, autofocus=True
            ),
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
    view: View,
    account: Account,
    user: UserId,
    radius: float,
    presence: Any,
    ground: Any = theme.SIDE,
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
        ground=ground,
    )


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
        fill_color=theme.WELL,
        border_color=theme.LINE,
        border_radius=theme.RADIUS,
        color=theme.TEXT,
        width=DIALOG_WIDTH,
        **more,
    )
    return kit.semantics(identifier, control, label)


def beside_field(field: ft.Control, button: ft.Control) -> ft.Control:
    """Return a line to type in with its button, which the count of letters does not push down."""
    lowered = ft.Container(button, padding=ft.Padding.only(top=_BUTTON_TOP))
    top = ft.CrossAxisAlignment.START
    return ft.Row([field, lowered], spacing=12, vertical_alignment=top)


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


class Paged(Generic[T]):
    """A long list of the server's, read page by page: the first one when it is shown."""

    def __init__(self, view: View, read: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        nothing: list[T] = []
        self.items, self._set_items = hooks.state(nothing)
        self._next, self._set_next = hooks.state(_no_cursor())
        self.loaded, self._set_loaded = hooks.state(False)
        self._view = view
        self._read = read
        hooks.mounted(lambda: view.start(self.again()))

    async def again(self) -> None:
        """Read the list from its beginning."""
        page = await self._read(None)
        self._set_items(page.items)
        self._set_next(page.next)
        self._set_loaded(True)

    async def more(self) -> None:
        """Read the next page."""
        page = await self._read(self._next)
        self._set_items([*self.items, *page.items])
        self._set_next(page.next)

    def foot(self) -> list[ft.Control]:
        """Return the button for the next page, where there is one."""
        if self._next is None:
            return []
        return [kit.button("list-more", tr("Show more"), self._view.act(self.more), kind="quiet")]


def _no_cursor() -> str | None:
    return None


@ft.component
def MemberPicker(
    view: View, account: Account, server: ServerId, label: str, on_pick: Callable[[UserId], Any]
) -> ft.Control:
    """Find a member by a part of their name; only the first few are shown."""
    wanted = hooks.entry("")
    view.watch(Topic("server", server))
    community = account.knowledge.communities.get(server)
    found = (
        members_like(account, community, wanted.value)[:_PICKED_MAX]
        if wanted.value and community is not None
        else []
    )

    def pick(user: UserId) -> None:
        wanted.set("")
        on_pick(user)

    rows = [
        kit.row(
            f"pick-{name}",
            name,
            ft.Row([UserFace(view, account, user, 12, None), kit.line(name, expand=True)]),
            partial(pick, user),
            margin=0,
        )
        for name, user in found
    ]
    return ft.Column(
        [kit.field("member-search", label, wanted.value, wanted.set), *rows], spacing=4, tight=True
    )


def members_like(account: Account, community: Community, part: str) -> list[tuple[str, UserId]]:
    """Return the members in whose name or nickname *part* is, by name."""
    wanted = part.strip().casefold()
    found: list[tuple[str, UserId]] = []
    for user in map(UserId, community.members):
        name = names.name_of(account.knowledge, user, community)
        own = names.name_of(account.knowledge, user)
        if wanted in name.casefold() or wanted in own.casefold():
            found.append((name, user))
    return sorted(found, key=lambda each: each[0].casefold())


@ft.component
def UserName(
    view: View, account: Account, server: ServerId, user: UserId, more: str = ""
) -> ft.Control:
    """Draw somebody's face and name, with *more* below."""
    view.watch(Topic("user", user), Topic("theme"))
    account.want_names(user)
    community = account.knowledge.communities.get(server)
    name = names.name_of(account.knowledge, user, community)
    words: list[ft.Control] = [kit.line(name, "name", view.name_color(community, user))]
    if more:
        words.append(kit.text(more, "small", theme.QUIET))
    face = UserFace(view, account, user, 16, None)
    return ft.Row([face, ft.Column(words, spacing=0, tight=True, expand=True)], spacing=12)


def card(identifier: str, content: ft.Control, label: str, *trailing: ft.Control) -> ft.Control:
    """Return one line of a list of things, with what can be done about it."""
    return kit.semantics(
        identifier,
        ft.Container(
            ft.Row([ft.Container(content, expand=True), *trailing], spacing=8),
            bgcolor=theme.SIDE,
            border=ft.Border.all(1, theme.LINE),
            border_radius=12,
            padding=ft.Padding.symmetric(horizontal=14, vertical=10),
        ),
        label,
    )
