"""Create channels and categories, edit and delete them."""

from typing import Any, Final
from uuid import UUID

import flet as ft
from msgspec import UNSET

from sidetone.desktop.application.account import Account
from sidetone.desktop.application.until import until
from sidetone.desktop.domain.channel_order import groups_of
from sidetone.desktop.domain.wording import tr, trn
from sidetone.desktop.interface import hooks, kit
from sidetone.desktop.interface.forms import (
    Doing,
    ask,
    cancel,
    choice,
    dialog_body,
    show_dialog,
)
from sidetone.desktop.interface.view import View
from sidetone.protocol.ids import ChannelId, ServerId
from sidetone.protocol.servers import Channel, ChannelKind, EditChannel

_SLOW_MODES: Final = (0, 5, 10, 30, 60, 300, 900, 3_600, 21_600)


def open_create_channel(
    view: View,
    account: Account,
    server: ServerId,
    kind: ChannelKind,
    parent: ChannelId | None = None,
) -> None:
    """Ask for a new channel, in the category *parent*."""
    content = hooks.keyed("create", CreateChannel, view, account, server, kind, parent)
    show_dialog(view, content)


def open_edit_channel(view: View, account: Account, channel: Channel) -> None:
    """Ask what shall be different about *channel*."""
    show_dialog(view, hooks.keyed("edit", ChannelEditor, view, account, channel))


def ask_delete_channel(view: View, account: Account, channel: Channel) -> None:
    """Ask before *channel* is deleted."""
    if channel.kind == "category":
        words = tr("Its channels stay.")
    else:
        words = tr("All that was written there is deleted too. This cannot be undone.")

    async def delete() -> None:
        await account.client.api.channels.delete(channel.id)

    ask(view, tr("Delete {name}?", name=channel.name), words, tr("Delete"), delete)


def slow_mode_words(seconds: int) -> str:
    """Return how long one waits between two messages."""
    if not seconds:
        return tr("Off")
    if seconds < 60:
        return trn("{n} second", "{n} seconds", seconds)
    if seconds < 3_600:
        return trn("{n} minute", "{n} minutes", seconds // 60)
    return trn("{n} hour", "{n} hours", seconds // 3_600)


@ft.component
def CreateChannel(
    view: View,
    account: Account,
    server: ServerId,
    first_kind: ChannelKind,
    first_parent: ChannelId | None,
) -> ft.Control:
    """Ask for a kind, a name, a category."""
    name = hooks.entry("")
    topic = hooks.entry("")
    kind, set_kind = hooks.state(str(first_kind))
    parent, set_parent = hooks.state(str(first_parent or ""))
    doing = Doing()

    async def create() -> None:
        made = await account.client.api.channels.create(
            server,
            name.value,
            "category" if kind == "category" else "voice" if kind == "voice" else "text",
            parent=_category(parent) if kind != "category" else None,
            topic=topic.value if kind == "text" else "",
        )
        view.close()
        found = await until(view.core, lambda: account.knowledge.channel(made.id) is not None)
        if found and made.kind == "text":
            view.open_channel(account, made.id)

    async def finish() -> None:
        await doing.run(create)

    fields: list[ft.Control] = []
    if first_kind != "category":
        kinds = [("text", tr("Text channel")), ("voice", tr("Voice channel"))]
        fields.append(choice("channel-kind", tr("Kind"), kind, kinds, set_kind))
    more: dict[str, Any] = {"autofocus": True, "max_length": 100, "on_submit": finish}
    fields.append(kit.field("channel-name", tr("Name"), name.value, name.set, **more))
    if kind == "text":
        fields.append(
            kit.field("channel-topic", tr("Topic"), topic.value, topic.set, max_length=1024)
        )
    if kind != "category":
        fields.append(_categories(account, server, parent, set_parent))
    title = tr("Create category") if first_kind == "category" else tr("Create channel")
    return dialog_body(
        "create-channel",
        title,
        [*fields, *doing.shown("channel-problem")],
        [cancel(view), kit.button("channel-create", tr("Create"), finish, disabled=doing.busy)],
    )


@ft.component
def ChannelEditor(view: View, account: Account, channel: Channel) -> ft.Control:
    """Ask for another name, topic, pace or category."""
    name = hooks.entry(channel.name)
    topic = hooks.entry(channel.topic)
    slow, set_slow = hooks.state(str(channel.slow_mode_seconds))
    parent, set_parent = hooks.state(str(channel.parent or ""))
    doing = Doing()

    async def save() -> None:
        moved = _category(parent) if channel.kind in {"text", "voice"} else channel.parent
        changes = EditChannel(
            UNSET if name.value == channel.name else name.value,
            UNSET if topic.value == channel.topic else topic.value,
            UNSET if int(slow) == channel.slow_mode_seconds else int(slow),
            UNSET if moved == channel.parent else moved,
        )
        await account.client.api.channels.edit(channel.id, changes)
        view.close()

    async def finish() -> None:
        await doing.run(save)

    more: dict[str, Any] = {"autofocus": True, "max_length": 100, "on_submit": finish}
    fields: list[ft.Control] = [
        kit.field("channel-name", tr("Name"), name.value, name.set, **more),
    ]
    if channel.kind == "text":
        fields.append(
            kit.field(
                "channel-topic",
                tr("Topic"),
                topic.value,
                topic.set,
                max_length=1024,
                multiline=True,
            )
        )
        modes = sorted({*_SLOW_MODES, channel.slow_mode_seconds})
        options = [(str(each), slow_mode_words(each)) for each in modes]
        fields.append(choice("channel-slow", tr("Slow mode"), slow, options, set_slow))
    if channel.kind in {"text", "voice"}:
        fields.append(_categories(account, ServerId(channel.server), parent, set_parent))
    return dialog_body(
        "edit-channel",
        tr("Edit {name}", name=channel.name),
        [*fields, *doing.shown("channel-problem")],
        [cancel(view), kit.button("channel-save", tr("Save"), finish, disabled=doing.busy)],
    )


def _categories(
    account: Account, server: ServerId, parent: str, on_change: kit.Handler
) -> ft.Control:
    groups = groups_of(account.knowledge.communities[server].visible(account.id))
    found = [(str(each.category.id), each.category.name) for each in groups if each.category]
    options = [("", tr("None")), *found]
    known = parent if any(key == parent for key, _ in options) else ""
    return choice("channel-parent", tr("Category"), known, options, on_change)


def _category(text: str) -> ChannelId | None:
    return ChannelId(UUID(text)) if text else None
