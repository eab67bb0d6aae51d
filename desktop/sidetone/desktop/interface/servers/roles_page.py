"""The roles of a server from the highest down, and the one that is open for editing."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.domain.readable_color import readable
from sidetone.desktop.domain.standing import ranked, role_moved
from sidetone.desktop.domain.topics import Topic
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import hooks, kit, theme
from sidetone.desktop.interface.servers.role_editor import RoleEditor
from sidetone.desktop.interface.servers.server_menu import standing_in
from sidetone.desktop.interface.settings.parts import page
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import RoleId, ServerId
from sidetone.protocol.servers import CreateRole, Role

_LIST_WIDTH = 236


@ft.component
def RolesPage(view: View, account: Account, server: ServerId) -> ft.Control:
    """List the roles; who stands high enough drags them into another order."""
    view.watch(Topic("server", server), Topic("place"), Topic("theme"))
    community = account.knowledge.communities[server]
    roles = ranked(community)
    _, _, wanted = view.place.section.partition("/")
    open_ = next((role for role in roles if str(role.id) == wanted), roles[-1])

    async def create() -> None:
        made = await account.client.api.members.create_role(server, CreateRole(tr("New role")))
        view.go(section=f"roles/{made.id}")

    rows = [_row(view, account, server, role, chosen=role is open_) for role in roles]
    listed = ft.Column(
        [
            kit.button("role-create", tr("Create role"), view.act(create), width=_LIST_WIDTH),
            *rows,
            kit.text(tr("Higher roles stand above lower ones."), "small", theme.FAINT),
        ],
        width=_LIST_WIDTH,
        spacing=4,
    )
    editor = hooks.keyed(f"role-{open_.id}", RoleEditor, view, account, server, open_)
    return page(
        tr("Roles"),
        ft.Row(
            [listed, ft.Container(editor, expand=True)],
            spacing=28,
            vertical_alignment=ft.CrossAxisAlignment.START,
        ),
    )


def _row(
    view: View, account: Account, server: ServerId, role: Role, *, chosen: bool
) -> ft.Control:
    standing = standing_in(account, server)
    fixed = role.position == 0 or bool(standing.why_not_role(role))
    color = readable(role.color, view.palette.chosen) if role.color is not None else theme.QUIET
    parts: list[ft.Control] = [
        ft.Container(width=12, height=12, border_radius=6, bgcolor=color),
        kit.line(role.name, "name" if chosen else "body", expand=True),
    ]
    if fixed and role.position > 0:
        why = standing.why_not_role(role)
        parts.append(ft.Icon(ft.Icons.LOCK_OUTLINE, size=14, color=theme.FAINT, tooltip=why))
    if chosen and not fixed:
        parts += [
            _step(view, account, server, role, up=True),
            _step(view, account, server, role, up=False),
        ]
    row = kit.row(
        f"role-{role.name}",
        role.name,
        ft.Row(parts, spacing=8, height=26),
        lambda: view.go(section=f"roles/{role.id}"),
        chosen=chosen,
        margin=0,
    )
    if role.position == 0:
        return row

    def accept(event: ft.DragTargetEvent) -> None:
        moved: RoleId = event.src.data
        view.start(_move(account, server, moved, role.id))

    target = ft.DragTarget(row, group="roles", on_accept=accept)
    if fixed:
        return target
    return ft.Draggable(
        target,
        group="roles",
        data=role.id,
        content_feedback=kit.feedback(role.name),
        key=f"placed-{role.id}",
    )


def _step(view: View, account: Account, server: ServerId, role: Role, *, up: bool) -> ft.Control:
    roles = [each for each in ranked(account.knowledge.communities[server]) if each.position > 0]
    place = [each.id for each in roles].index(role.id) + (-1 if up else 1)
    possible = 0 <= place < len(roles) and not standing_in(account, server).why_not_role(
        roles[place]
    )
    return kit.icon_button(
        "role-up" if up else "role-down",
        ft.Icons.ARROW_UPWARD if up else ft.Icons.ARROW_DOWNWARD,
        tr("Move up") if up else tr("Move down"),
        view.act(_move, account, server, role.id, roles[place].id) if possible else lambda: None,
        disabled=not possible,
        width=26,
        height=26,
        padding=0,
    )


async def _move(account: Account, server: ServerId, moved: RoleId, onto: RoleId) -> None:
    order = role_moved(ranked(account.knowledge.communities[server]), moved, onto)
    if order is not None:
        await account.client.api.members.order_roles(server, order)
