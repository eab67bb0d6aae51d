"""What one can do with a server as a whole: the menu of the rail and of the server's name."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.arrange_servers import is_muted, mute, step_server
from sidetone.desktop.application.mark_server_read import mark_server_read
from sidetone.desktop.domain.standing import Standing
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit
from sidetone.desktop.interface.forms import ask
from sidetone.desktop.interface.servers.edit_channel import open_create_channel
from sidetone.desktop.interface.servers.invite_dialog import open_invite
from sidetone.desktop.interface.servers.nickname_dialog import open_nickname
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId

# Who holds any of these finds something in the settings of a server.
OF_SETTINGS = (
    Permission.MANAGE_SERVER
    | Permission.MANAGE_ROLES
    | Permission.MANAGE_CHANNELS
    | Permission.MANAGE_PERMISSIONS
    | Permission.MANAGE_EMOJI
    | Permission.VIEW_AUDIT_LOG
    | Permission.BAN_MEMBERS
    | Permission.KICK_MEMBERS
    | Permission.MODERATE_MEMBERS
)


def standing_in(account: Account, server: ServerId) -> Standing:
    """Return what we may do in *server* now."""
    community = account.knowledge.communities[server]
    return Standing(community, account.id, account.clock.now_ms())


def server_menu(view: View, account: Account, server: ServerId) -> list[ft.PopupMenuItem]:
    """Return what our permissions allow, and nothing else."""
    standing = standing_in(account, server)
    items = [
        kit.menu_item(
            "server-mark-read",
            tr("Mark as read"),
            ft.Icons.DONE_ALL,
            view.act(mark_server_read, account, server),
        )
    ]
    if standing.may(Permission.CREATE_INVITE):
        items.append(
            kit.menu_item(
                "server-invite",
                tr("Invite people"),
                ft.Icons.PERSON_ADD,
                lambda: open_invite(view, account, server),
            )
        )
    if standing.permissions & OF_SETTINGS:
        items.append(
            kit.menu_item(
                "server-settings",
                tr("Server settings"),
                ft.Icons.SETTINGS,
                lambda: open_settings(view, account, server),
            )
        )
    if standing.may(Permission.MANAGE_CHANNELS):
        items += _creating(view, account, server)
    if standing.may(Permission.CHANGE_NICKNAME):
        items.append(
            kit.menu_item(
                "server-nickname",
                tr("Change my nickname"),
                ft.Icons.BADGE_OUTLINED,
                lambda: open_nickname(view, account, server, account.id),
            )
        )
    return [*items, kit.menu_line(), *_own(view, server), *_leaving(view, account, standing)]


def open_settings(view: View, account: Account, server: ServerId, section: str = "") -> None:
    """Go to the settings of *server*, to one *section* of them."""
    view.go(screen="server_settings", account=account.id, server=server, section=section)


def _creating(view: View, account: Account, server: ServerId) -> list[ft.PopupMenuItem]:
    return [
        kit.menu_item(
            "server-create-channel",
            tr("Create channel"),
            ft.Icons.ADD_CIRCLE_OUTLINE,
            lambda: open_create_channel(view, account, server, "text"),
        ),
        kit.menu_item(
            "server-create-category",
            tr("Create category"),
            ft.Icons.CREATE_NEW_FOLDER_OUTLINED,
            lambda: open_create_channel(view, account, server, "category"),
        ),
    ]


def _own(view: View, server: ServerId) -> list[ft.PopupMenuItem]:
    """Return what is arranged for oneself alone."""
    muted = is_muted(view.core, server)
    return [
        kit.menu_item(
            "server-mute",
            tr("Unmute server") if muted else tr("Mute server"),
            ft.Icons.NOTIFICATIONS if muted else ft.Icons.NOTIFICATIONS_OFF,
            lambda: mute(view.core, server, None if muted else "nothing"),
        ),
        kit.menu_item(
            "server-up",
            tr("Move up"),
            ft.Icons.ARROW_UPWARD,
            lambda: step_server(view.core, server, -1),
        ),
        kit.menu_item(
            "server-down",
            tr("Move down"),
            ft.Icons.ARROW_DOWNWARD,
            lambda: step_server(view.core, server, 1),
        ),
    ]


def _leaving(view: View, account: Account, standing: Standing) -> list[ft.PopupMenuItem]:
    """Return the way out; an owner has none, and finds what to do in the settings."""
    if standing.owns:
        return []
    server = standing.community.server

    async def leave() -> None:
        await account.client.api.members.remove(ServerId(server.id), account.id)
        if view.place.server == server.id:
            view.go(screen="friends", server=None, channel=None)

    def sure() -> None:
        ask(
            view,
            tr("Leave {server}?", server=server.name),
            tr("You lose your roles there, and need a new invite to come back."),
            tr("Leave server"),
            leave,
        )

    item = kit.menu_item("server-leave", tr("Leave server"), ft.Icons.LOGOUT, sure, danger=True)
    return [kit.menu_line(), item]
