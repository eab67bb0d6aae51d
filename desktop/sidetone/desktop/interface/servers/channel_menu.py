"""What one can do with a channel or a category."""

import flet as ft

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.arrange_channels import step_channel
from sidetone.desktop.application.arrange_servers import is_muted, mute
from sidetone.desktop.application.mark_server_read import mark_channel_read
from sidetone.desktop.domain.links import place_link
from sidetone.desktop.domain.wording import tr
from sidetone.desktop.interface import kit
from sidetone.desktop.interface.servers.edit_channel import (
    ask_delete_channel,
    open_create_channel,
    open_edit_channel,
)
from sidetone.desktop.interface.servers.invite_dialog import copy
from sidetone.desktop.interface.view import View
from sidetone.permissions import Permission
from sidetone.protocol.ids import ServerId
from sidetone.protocol.servers import Channel


def channel_menu(view: View, account: Account, channel: Channel) -> list[ft.PopupMenuItem]:
    """Return what our permissions in *channel* allow, and nothing else."""
    now_ms = account.clock.now_ms()
    server = ServerId(channel.server)
    community = account.knowledge.communities.get(server)
    if community is None:
        return []
    here = community.permissions(account.id, channel.id, now_ms)
    everywhere = community.standing(account.id, now_ms)
    items = _reading(view, account, channel) if channel.kind != "category" else []
    changing: list[ft.PopupMenuItem] = []
    if Permission.MANAGE_CHANNELS in here:
        changing.append(
            kit.menu_item(
                "channel-edit",
                tr("Edit category") if channel.kind == "category" else tr("Edit channel"),
                ft.Icons.EDIT,
                lambda: open_edit_channel(view, account, channel),
            )
        )
    if Permission.MANAGE_PERMISSIONS in here:
        changing.append(
            kit.menu_item(
                "channel-permissions",
                tr("Permissions"),
                ft.Icons.LOCK_OUTLINE,
                lambda: view.go(
                    screen="server_settings",
                    account=account.id,
                    server=server,
                    section=f"channels/{channel.id}",
                ),
            )
        )
    if Permission.MANAGE_CHANNELS in everywhere:
        changing += _arranging(view, account, channel)
    if Permission.MANAGE_CHANNELS in here:
        changing.append(
            kit.menu_item(
                "channel-delete",
                tr("Delete category") if channel.kind == "category" else tr("Delete channel"),
                ft.Icons.DELETE_OUTLINE,
                lambda: ask_delete_channel(view, account, channel),
                danger=True,
            )
        )
    return [*items, kit.menu_line(), *changing] if items and changing else items or changing


def _reading(view: View, account: Account, channel: Channel) -> list[ft.PopupMenuItem]:
    muted = is_muted(view.core, ServerId(channel.server), channel.id)
    link = place_link(account.address, channel.id)
    items = [
        kit.menu_item(
            "channel-mute",
            tr("Unmute channel") if muted else tr("Mute channel"),
            ft.Icons.NOTIFICATIONS if muted else ft.Icons.NOTIFICATIONS_OFF,
            lambda: mute(view.core, channel.id, "mentions" if muted else "nothing"),
        ),
        kit.menu_item(
            "channel-copy-link", tr("Copy link"), ft.Icons.LINK, view.act(copy, view, link)
        ),
    ]
    if channel.kind == "text":
        read = kit.menu_item(
            "channel-mark-read",
            tr("Mark as read"),
            ft.Icons.DONE_ALL,
            view.act(mark_channel_read, account, channel.id),
        )
        items.insert(0, read)
    return items


def _arranging(view: View, account: Account, channel: Channel) -> list[ft.PopupMenuItem]:
    server = ServerId(channel.server)
    items = [
        kit.menu_item(
            "channel-up",
            tr("Move up"),
            ft.Icons.ARROW_UPWARD,
            view.act(step_channel, account, server, channel.id, -1),
        ),
        kit.menu_item(
            "channel-down",
            tr("Move down"),
            ft.Icons.ARROW_DOWNWARD,
            view.act(step_channel, account, server, channel.id, 1),
        ),
    ]
    if channel.kind == "category":
        create = kit.menu_item(
            "category-create-channel",
            tr("Create channel"),
            ft.Icons.ADD_CIRCLE_OUTLINE,
            lambda: open_create_channel(view, account, server, "text", channel.id),
        )
        items.insert(0, create)
    return items
