"""One person of the list of friends, and what can be done about them."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.befriend import accept, block, part
from sidetone.desktop.application.converse import open_conversation
from sidetone.desktop.domain import names
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit, theme
from sidetone.desktop.interface.forms import ask
from sidetone.desktop.interface.people import faces
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import UserId
from sidetone.protocol.social import RelationshipKind


@ft.component
def FriendRow(view: View, account: Account, user: UserId) -> ft.Control:
    """Draw somebody with the buttons that fit to what they are to us."""
    view.watch(Topic("user", user))
    relationship = account.knowledge.relationships.get(user)
    if relationship is None:
        return ft.Container(visible=False)
    name = names.name_of(account.knowledge, user)
    words = _words(account, user, relationship.kind)
    content = ft.Row(
        [
            faces.face(view, account, user, 18, theme.GROUND),
            faces.name_lines(account, user, words),
            *_buttons(view, account, user, relationship.kind),
        ],
        spacing=12,
    )
    friend = relationship.kind == "friend"
    return kit.row(
        f"friend-{name}",
        f"{name}, {words}",
        content,
        (lambda: view.start(talk(view, account, user))) if friend else None,
    )


async def talk(view: View, account: Account, user: UserId) -> None:
    """Go to the conversation with *user*, which begins if there was none."""
    server, _ = await open_conversation(account, [user])
    faces.show_conversation(view, account, server)


def _words(account: Account, user: UserId, kind: RelationshipKind) -> str:
    match kind:
        case "friend":
            return faces.doing(account, user)
        case "incoming":
            return tr("Wants to be your friend")
        case "outgoing":
            return tr("Has not answered yet")
        case "blocked":
            return tr("Blocked: you hear nothing of them")


def _buttons(
    view: View, account: Account, user: UserId, kind: RelationshipKind
) -> list[ft.Control]:
    name = names.name_of(account.knowledge, user)
    match kind:
        case "friend":
            return [
                kit.icon_button(
                    f"talk-{name}",
                    ft.Icons.CHAT_BUBBLE_OUTLINE,
                    tr("Write to {name}", name=name),
                    view.act(talk, view, account, user),
                ),
                _more(view, account, user, name),
            ]
        case "incoming":
            return [
                kit.icon_button(
                    f"accept-{name}",
                    ft.Icons.CHECK,
                    tr("Accept {name}", name=name),
                    view.act(accept, account, user),
                    color=theme.GOOD,
                ),
                kit.icon_button(
                    f"decline-{name}",
                    ft.Icons.CLOSE,
                    tr("Decline {name}", name=name),
                    view.act(part, account, user),
                ),
                _more(view, account, user, name, known=False),
            ]
        case "outgoing":
            label = tr("Take back the request to {name}", name=name)
            icon = ft.Icons.CLOSE
            return [kit.icon_button(f"cancel-{name}", icon, label, view.act(part, account, user))]
        case "blocked":
            return [
                kit.button(
                    f"unblock-{name}", tr("Unblock"), view.act(part, account, user), kind="quiet"
                )
            ]


def _more(
    view: View, account: Account, user: UserId, name: str, *, known: bool = True
) -> ft.Control:
    async def end() -> None:
        await part(account, user)

    async def shut() -> None:
        await block(account, user)

    remove = kit.menu_item(
        f"unfriend-{name}",
        tr("End the friendship"),
        ft.Icons.PERSON_REMOVE,
        lambda: ask(
            view,
            tr("End the friendship with {name}?", name=name),
            tr("They are not told, and can ask again."),
            tr("End it"),
            end,
        ),
        danger=True,
    )
    shut_out = kit.menu_item(
        f"block-{name}",
        tr("Block"),
        ft.Icons.BLOCK,
        lambda: ask(
            view,
            tr("Block {name}?", name=name),
            tr("They can neither write to you nor ask you, and are not told."),
            tr("Block"),
            shut,
        ),
        danger=True,
    )
    menu = ft.PopupMenuButton(
        icon=ft.Icons.MORE_VERT,
        icon_color=theme.QUIET,
        items=[remove, shut_out] if known else [shut_out],
        tooltip=tr("More about {name}", name=name),
    )
    return kit.semantics(f"more-{name}", menu, tr("More about {name}", name=name), button=True)
