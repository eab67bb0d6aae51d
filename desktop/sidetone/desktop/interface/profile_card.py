"""Somebody as a card: who they are, what they are in this server, and what one can do."""

import flet as ft

from sidetone.community import Community
from sidetone.desktop.application import befriend, converse
from sidetone.desktop.application.account import Account
from sidetone.desktop.domain import names
from sidetone.desktop.domain.readable_color import readable
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.chat import times
from sidetone.desktop.interface.forms import show_dialog
from sidetone.desktop.interface.people.faces import doing, face, show_conversation
from sidetone.desktop.interface.servers.member_menu import member_menu, role_items
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import Role

_WIDTH = 360


def open_profile(
    view: View, account: Account, user: UserId, server: ServerId | None = None
) -> None:
    """Show who *user* is, and in *server* what they are there."""
    account.want_names(user)
    card = hooks.keyed("profile", ProfileCard, view, account, user, server)
    show_dialog(view, card, width=_WIDTH)


def person_menu(
    view: View, account: Account, server: ServerId, user: UserId
) -> list[ft.PopupMenuItem]:
    """Return what one can do with a member of *server*: as with anybody, and as a moderator."""
    items = [
        kit.menu_item(
            "person-profile",
            tr("Profile"),
            ft.Icons.PERSON_OUTLINE,
            lambda: open_profile(view, account, user, server),
        )
    ]
    if user != account.id:
        items.append(
            kit.menu_item(
                "person-message",
                tr("Send message"),
                ft.Icons.CHAT_BUBBLE_OUTLINE,
                view.act(write_to, view, account, user),
            )
        )
    moderating = member_menu(view, account, server, user)
    return [*items, kit.menu_line(), *moderating] if moderating else items


async def write_to(view: View, account: Account, user: UserId) -> None:
    """Go to the conversation with *user*."""
    server, _ = await converse.open_conversation(account, [user])
    show_conversation(view, account, server)


@ft.component
def ProfileCard(view: View, account: Account, user: UserId, server: ServerId | None) -> ft.Control:
    """Draw the card; it follows what changes while it is open."""
    view.watch(Topic("user", user), Topic("people"), Topic("server", server), Topic("theme"))
    community = account.knowledge.communities.get(server) if server is not None else None
    known = account.knowledge.users.get(user)
    name = names.name_of(account.knowledge, user, community)
    about: list[ft.Control] = []
    if known is not None and known.bio:
        about.append(_part(tr("About"), kit.text(known.bio, selectable=True)))
    if community is not None and user in community.members:
        about += _in_server(view, account, community, user)
    head = ft.Row(
        [
            face(view, account, user, 34, theme.SHEET),
            ft.Column(
                [
                    kit.line(name, "title", view.name_color(community, user)),
                    kit.line(_account_name(account, user), "small", theme.QUIET),
                    kit.line(doing(account, user), "small", theme.QUIET),
                ],
                spacing=1,
                expand=True,
            ),
        ],
        spacing=16,
    )
    return kit.semantics(
        "profile-card",
        ft.Column([head, *about, _actions(view, account, user, server)], spacing=14, tight=True),
        tr("Profile of {name}", name=name),
    )


def _account_name(account: Account, user: UserId) -> str:
    known = account.knowledge.users.get(user)
    if known is None:
        return ""
    return f"@{known.name} · {tr('Bot')}" if known.bot else f"@{known.name}"


def _part(title: str, content: ft.Control) -> ft.Control:
    return ft.Column(
        [kit.text(title.upper(), "section", theme.FAINT), content], spacing=4, tight=True
    )


def _in_server(
    view: View, account: Account, community: Community, user: UserId
) -> list[ft.Control]:
    member = community.members[user]
    roles = sorted(
        (community.roles[role] for role in member.roles if role in community.roles),
        key=lambda role: -role.position,
    )
    chips = [_chip(view, role) for role in roles]
    server = ServerId(community.server.id)
    giving = role_items(view, account, server, user)
    if giving:
        chips.append(kit.more("profile-roles", tr("Give or take roles"), giving))
    parts: list[ft.Control] = []
    if chips:
        parts.append(_part(tr("Roles"), ft.Row(chips, wrap=True, spacing=6, run_spacing=6)))
    since = times.long_date(member.joined_at_ms)
    parts.append(_part(tr("Member since"), kit.text(since)))
    return parts


def _chip(view: View, role: Role) -> ft.Control:
    ground = view.palette.chosen
    color = readable(role.color, ground) if role.color is not None else theme.QUIET
    dot = ft.Container(width=10, height=10, border_radius=5, bgcolor=color)
    return ft.Container(
        ft.Row([dot, kit.text(role.name, "small")], spacing=6, tight=True),
        bgcolor=theme.CHOSEN,
        border_radius=8,
        padding=ft.Padding.symmetric(horizontal=8, vertical=4),
    )


def _actions(view: View, account: Account, user: UserId, server: ServerId | None) -> ft.Control:
    actions: list[ft.Control] = []
    if user != account.id:

        async def write() -> None:
            await write_to(view, account, user)
            view.close()

        actions.append(kit.button("profile-message", tr("Message"), view.act(write)))
        actions += _relations(view, account, user)
    if server is not None:
        moderating = member_menu(view, account, server, user)
        if moderating:
            actions.append(kit.more("profile-more", tr("More"), moderating))
    return ft.Row(actions, spacing=6, wrap=True)


def _relations(view: View, account: Account, user: UserId) -> list[ft.Control]:
    relationship = account.knowledge.relationships.get(user)
    kind = relationship.kind if relationship is not None else None
    if kind == "blocked":
        label, work = tr("Unblock"), befriend.part
    elif kind == "friend":
        label, work = tr("End friendship"), befriend.part
    elif kind == "outgoing":
        label, work = tr("Take request back"), befriend.part
    else:
        label = tr("Accept request") if kind == "incoming" else tr("Add friend")
        work = befriend.accept
    buttons: list[ft.Control] = [
        kit.button("profile-friend", label, view.act(work, account, user), kind="quiet")
    ]
    if kind != "blocked":
        block = view.act(befriend.block, account, user)
        buttons.append(kit.button("profile-block", tr("Block"), block, kind="quiet"))
    return buttons
