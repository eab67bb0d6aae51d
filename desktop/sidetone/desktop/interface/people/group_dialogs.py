"""Make a group, name it, bring friends in."""

from collections.abc import Callable

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.converse import bring_in, open_conversation, rename
from sidetone.desktop.domain import names
from sidetone.desktop.domain.people import others_in, people_of
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.forms import Doing, cancel, dialog_body, show_dialog
from sidetone.desktop.interface.people import faces
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId

_NOBODY: frozenset[UserId] = frozenset()


def open_group_dialog(view: View, account: Account) -> None:
    """Ask whom one wants to talk with."""
    show_dialog(view, hooks.keyed("new-group", NewGroup, view, account, _NOBODY))


def open_bring_in(view: View, account: Account, server: ServerId) -> None:
    """Ask who shall come to a group; from a conversation of two a new group is made."""
    conversation = account.knowledge.communities.get(server)
    if conversation is None:
        return
    others = frozenset(others_in(account.knowledge, conversation))
    if conversation.server.kind == "direct":
        show_dialog(view, hooks.keyed("new-group", NewGroup, view, account, others))
    else:
        show_dialog(view, hooks.keyed("bring-in", BringIn, view, account, server, others))


def open_rename(view: View, account: Account, server: ServerId) -> None:
    """Ask for the name of a group."""
    show_dialog(view, hooks.keyed("rename-group", RenameGroup, view, account, server))


@ft.component
def NewGroup(view: View, account: Account, with_: frozenset[UserId]) -> ft.Control:
    """Choose friends; one makes a conversation of two, several a group with a name."""
    chosen, set_chosen = hooks.state(with_)
    name = hooks.entry("")
    doing = Doing()

    async def make() -> None:
        title = name.value if len(chosen) > 1 else ""
        server, _ = await open_conversation(account, sorted(chosen), title)
        view.close()
        faces.show_conversation(view, account, server)

    async def finish() -> None:
        await doing.run(make)

    fields: list[ft.Control] = []
    if len(chosen) > 1:
        label = tr("Name of the group, if it shall have one")
        fields.append(kit.field("group-name", label, name.value, name.set, on_submit=finish))
    return dialog_body(
        "new-group-dialog",
        tr("New group"),
        [_choices(view, account, chosen, set_chosen), *fields, *doing.shown("group-problem")],
        [
            cancel(view),
            kit.button(
                "group-make", tr("Start talking"), finish, disabled=doing.busy or not chosen
            ),
        ],
    )


@ft.component
def BringIn(
    view: View, account: Account, server: ServerId, there: frozenset[UserId]
) -> ft.Control:
    """Choose friends who are not in the group yet."""
    chosen, set_chosen = hooks.state(_NOBODY)
    doing = Doing()

    async def bring() -> None:
        await bring_in(account, server, sorted(chosen))
        view.close()

    async def finish() -> None:
        await doing.run(bring)

    return dialog_body(
        "bring-in-dialog",
        tr("Bring in friends"),
        [_choices(view, account, chosen, set_chosen, there), *doing.shown("group-problem")],
        [
            cancel(view),
            kit.button("group-bring", tr("Bring in"), finish, disabled=doing.busy or not chosen),
        ],
    )


@ft.component
def RenameGroup(view: View, account: Account, server: ServerId) -> ft.Control:
    """Ask for a name; without one a group is called by those in it."""
    conversation = account.knowledge.communities.get(server)
    name = hooks.entry(conversation.server.name if conversation is not None else "")
    doing = Doing()

    async def give() -> None:
        await rename(account, server, name.value)
        view.close()

    async def finish() -> None:
        await doing.run(give)

    field = kit.field(
        "group-name",
        tr("Name of the group"),
        name.value,
        name.set,
        autofocus=True,
        on_submit=finish,
    )
    return dialog_body(
        "rename-group-dialog",
        tr("Rename the group"),
        [field, *doing.shown("group-problem")],
        [cancel(view), kit.button("group-name-save", tr("Save"), finish, disabled=doing.busy)],
    )


def _choices(
    view: View,
    account: Account,
    chosen: frozenset[UserId],
    set_chosen: Callable[[frozenset[UserId]], None],
    without: frozenset[UserId] = _NOBODY,
) -> ft.Control:
    friends = [user for user in people_of(account.knowledge, "all") if user not in without]
    if not friends:
        return kit.text(tr("There is no friend to choose: find one first."), "body", theme.QUIET)
    rows = [_choice(view, account, user, chosen, set_chosen) for user in friends]
    return ft.Container(ft.ListView(rows, spacing=1), height=min(44 * len(rows), 308))


def _choice(
    view: View,
    account: Account,
    user: UserId,
    chosen: frozenset[UserId],
    set_chosen: Callable[[frozenset[UserId]], None],
) -> ft.Control:
    name = names.name_of(account.knowledge, user)
    inside = user in chosen
    mark = ft.Icon(
        ft.Icons.CHECK_CIRCLE if inside else ft.Icons.CIRCLE_OUTLINED,
        color=theme.ACCENT if inside else theme.FAINT,
    )
    content = ft.Row([faces.face(view, account, user), kit.line(name, expand=True), mark])
    return kit.row(
        f"choose-{name}",
        name,
        content,
        lambda: set_chosen(chosen ^ {user}),
        chosen=inside,
        margin=0,
    )
