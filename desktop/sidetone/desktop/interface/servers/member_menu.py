"""What a moderator can do with one member of a server: never more than the server allows."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.moderate import time_out
from sidetone.desktop.application.moderate_voice import (
    deafen_member,
    move_member,
    mute_member,
    put_out,
)
from sidetone.desktop.domain.standing import Standing, ranked
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit
from sidetone.desktop.interface.servers.moderation_dialogs import (
    open_ban,
    open_kick,
    open_timeout,
)
from sidetone.desktop.interface.servers.nickname_dialog import open_nickname
from sidetone.desktop.interface.servers.report_dialog import open_report
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, RoleId, ServerId, UserId


def member_menu(
    view: View, account: Account, server: ServerId, user: UserId
) -> list[ft.PopupMenuItem]:
    """Return what our rank and permissions allow."""
    community = account.knowledge.communities.get(server)
    if community is None or user not in community.members:
        return []
    standing = Standing(community, account.id, account.clock.now_ms())
    return [
        *_naming(view, account, standing, user),
        *_voice(view, account, standing, user),
        *_reporting(view, account, server, user),
        *_putting_out(view, account, standing, user),
    ]


def role_items(
    view: View, account: Account, server: ServerId, user: UserId
) -> list[ft.PopupMenuItem]:
    """Return the roles that we may give to *user* or take, those that they have ticked."""
    community = account.knowledge.communities.get(server)
    if community is None or user not in community.members:
        return []
    standing = Standing(community, account.id, account.clock.now_ms())
    held = community.members[user].roles
    return [
        ft.PopupMenuItem(
            content=kit.semantics(f"role-item-{role.name}", kit.text(role.name), role.name),
            checked=role.id in held,
            height=38,
            on_click=view.act(change_role, account, server, user, role.id, role.id not in held),
        )
        for role in ranked(community)
        if role.position > 0 and not standing.why_not_give(role, user)
    ]


async def change_role(
    account: Account,
    server: ServerId,
    user: UserId,
    role: RoleId,
    gives: bool,
) -> None:
    """Give *role* to *user*, or take it."""
    members = account.client.api.members
    if gives:
        await members.give_role(server, user, role)
    else:
        await members.take_role(server, user, role)


def _naming(
    view: View, account: Account, standing: Standing, user: UserId
) -> list[ft.PopupMenuItem]:
    own = user == account.id and standing.may(Permission.CHANGE_NICKNAME)
    if not own and not standing.may_act_on(user, Permission.MANAGE_NICKNAMES):
        return []
    server = ServerId(standing.community.server.id)
    return [
        kit.menu_item(
            "member-nickname",
            tr("Change nickname"),
            ft.Icons.BADGE_OUTLINED,
            lambda: open_nickname(view, account, server, user),
        )
    ]


def _voice(
    view: View, account: Account, standing: Standing, user: UserId
) -> list[ft.PopupMenuItem]:
    server, member = ServerId(standing.community.server.id), standing.community.members[user]
    items: list[ft.PopupMenuItem] = []
    if standing.may_act_on(user, Permission.MUTE_MEMBERS):
        items.append(
            kit.menu_item(
                "member-mute",
                tr("Unmute in this server") if member.muted else tr("Mute in this server"),
                ft.Icons.MIC if member.muted else ft.Icons.MIC_OFF,
                lambda: view.start(mute_member(account, server, user, muted=not member.muted)),
            )
        )
    if standing.may_act_on(user, Permission.DEAFEN_MEMBERS):
        items.append(
            kit.menu_item(
                "member-deafen",
                tr("Undeafen in this server") if member.deafened else tr("Deafen in this server"),
                ft.Icons.HEADSET if member.deafened else ft.Icons.HEADSET_OFF,
                lambda: view.start(
                    deafen_member(account, server, user, deafened=not member.deafened)
                ),
            )
        )
    return [*items, *_moving(view, account, standing, user)]


def _moving(
    view: View, account: Account, standing: Standing, user: UserId
) -> list[ft.PopupMenuItem]:
    voices = [c for c in standing.community.visible(account.id) if c.kind == "voice"]
    here = next(
        (c for c in voices if user in account.knowledge.voices.get(ChannelId(c.id), {})), None
    )
    if here is None or user == account.id:
        return []
    granted = standing.community.permissions(account.id, here.id, standing.now_ms)
    if Permission.MOVE_MEMBERS not in granted:
        return []
    targets = sorted((c for c in voices if c is not here), key=lambda c: c.position)
    moves = [
        kit.menu_item(
            f"member-move-{target.name}",
            tr("Move to {channel}", channel=target.name),
            ft.Icons.ARROW_FORWARD,
            view.act(move_member, account, here.id, user, target.id),
        )
        for target in targets[:8]
    ]
    out = view.act(put_out, account, here.id, user)
    return [*moves, kit.menu_item("member-disconnect", tr("Disconnect"), ft.Icons.CALL_END, out)]


def _reporting(
    view: View, account: Account, server: ServerId, user: UserId
) -> list[ft.PopupMenuItem]:
    if user == account.id:
        return []
    return [
        kit.menu_item(
            "member-report",
            tr("Report to the moderators"),
            ft.Icons.FLAG_OUTLINED,
            lambda: open_report(view, account, server, user),
        )
    ]


def _putting_out(
    view: View, account: Account, standing: Standing, user: UserId
) -> list[ft.PopupMenuItem]:
    server, member = ServerId(standing.community.server.id), standing.community.members[user]
    items: list[ft.PopupMenuItem] = []
    if standing.may_act_on(user, Permission.MODERATE_MEMBERS):
        if member.timeout_until_ms > standing.now_ms:
            label, act = tr("End timeout"), view.act(time_out, account, server, user, 0)
        else:
            label, act = tr("Time out"), lambda: open_timeout(view, account, server, user)
        items.append(
            kit.menu_item("member-timeout", label, ft.Icons.TIMER_OUTLINED, act, danger=True)
        )
    if standing.may_act_on(user, Permission.KICK_MEMBERS):
        items.append(
            kit.menu_item(
                "member-kick",
                tr("Kick"),
                ft.Icons.PERSON_REMOVE_OUTLINED,
                lambda: open_kick(view, account, server, user),
                danger=True,
            )
        )
    if standing.may_act_on(user, Permission.BAN_MEMBERS):
        items.append(
            kit.menu_item(
                "member-ban",
                tr("Ban"),
                ft.Icons.BLOCK,
                lambda: open_ban(view, account, server, user),
                danger=True,
            )
        )
    return [kit.menu_line(), *items] if items else []
