"""Shape the places of a server."""

from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from sidetone.chat.application.enter_channel import EnterChannel
from sidetone.chat.application.ports import Changes
from sidetone.chat.domain.channel import (
    KINDS_TO_CREATE,
    checked_slow_mode,
    unknown_channel,
)
from sidetone.chat.domain.draft import Draft
from sidetone.chat.domain.name import checked_description, checked_name
from sidetone.chat.domain.place import Place
from sidetone.chat.domain.server import CHANNELS_MAX, require_room_for_one_more
from sidetone.chat.domain.version import require_version
from sidetone.permissions import Permission
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Conflict, Invalid
from sidetone.protocol.servers import Channel, CreateChannel, EditChannel
from sidetone.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class ManageChannels:
    """Create, edit, order and delete channels and categories."""

    enter: EnterChannel
    changes: Changes
    clock: Clock

    async def create(self, server: ServerId, user: UserId, wish: CreateChannel) -> Channel:
        """Return the new channel, which begins with the overwrites of its category.

        Raises ``Refusal``.
        """
        if wish.kind not in KINDS_TO_CREATE:
            raise Invalid("kind_unsuitable", "create a text channel, a voice channel, a category")
        channel = Channel(
            ChannelId(self.clock.new_id()),
            server,
            checked_name(wish.name),
            wish.kind,
            parent=wish.parent,
            topic=checked_description(wish.topic),
        )
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            standing.require(Permission.MANAGE_CHANNELS)
            lasting = [each for each in draft.before.channels.values() if each.kind != "thread"]
            require_room_for_one_more(len(lasting), CHANNELS_MAX, "channels")
            channel = msgspec.structs.replace(
                channel, position=1 + max((each.position for each in lasting), default=-1)
            )
            if wish.parent is not None:
                category = standing.in_channel(wish.parent)
                _require_category_for(channel, category.channel)
                channel = msgspec.structs.replace(channel, overwrites=category.channel.overwrites)
            draft.put(channel)
            draft.note(user, "channel.create", channel.id, None, channel)
        return channel

    async def edit(
        self, channel: ChannelId, user: UserId, wish: EditChannel, version: int | None
    ) -> Channel:
        """Return the channel with what *wish* changes. Raises ``Refusal``."""
        server = (await self.enter(user, channel)).community.server.id
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            place = standing.in_channel(channel)
            place.require(Permission.MANAGE_CHANNELS)
            before = place.channel
            require_version(before, version)
            after = _edited(before, wish)
            if after.parent != before.parent and after.parent is not None:
                into = standing.in_channel(after.parent)
                into.require(Permission.MANAGE_CHANNELS)
                _require_category_for(after, into.channel)
            if after != before:
                draft.put(after)
                draft.note(user, "channel.edit", channel, before, after)
        return after

    async def delete(self, channel: ChannelId, user: UserId) -> None:
        """Delete a channel with its threads, a category without its channels."""
        server = (await self.enter(user, channel)).community.server.id
        async with self.changes.of(server) as change:
            draft = change.draft
            place = draft.standing(user).in_channel(channel)
            _require_may_delete(place)
            _drop(draft, place.channel)
            draft.note(user, "channel.delete", channel, place.channel)

    async def order(self, server: ServerId, user: UserId, channels: list[ChannelId]) -> None:
        """Put the channels in this order, from the top. Raises ``Refusal``.

        Those that the user does not see keep their order, and come after the others.
        """
        async with self.changes.of(server) as change:
            draft = change.draft
            standing = draft.standing(user)
            standing.require(Permission.MANAGE_CHANNELS)
            placed = [each for each in draft.before.channels.values() if each.kind != "thread"]
            seen = {each.id for each in draft.before.visible(user) if each.kind != "thread"}
            if len(channels) != len(seen) or seen != set(channels):
                raise Conflict(
                    "order_incomplete", "name each channel that you see once; read them again"
                )
            hidden = sorted(
                (each for each in placed if each.id not in seen), key=lambda each: each.position
            )
            for position, id_ in enumerate([*channels, *(each.id for each in hidden)]):
                before = draft.before.channels[id_]
                if before.position != position:
                    draft.put(msgspec.structs.replace(before, position=position))
            if draft.alters:
                draft.note(user, "channel.order", server)


def _edited(channel: Channel, wish: EditChannel) -> Channel:
    topic, seconds = wish.topic, wish.slow_mode_seconds
    return msgspec.structs.replace(
        channel,
        name=channel.name if wish.name is UNSET else checked_name(wish.name),
        topic=channel.topic if topic is UNSET else checked_description(topic),
        slow_mode_seconds=channel.slow_mode_seconds
        if seconds is UNSET
        else checked_slow_mode(seconds),
        parent=channel.parent if wish.parent is UNSET else wish.parent,
    )


def _require_category_for(channel: Channel, category: Channel) -> None:
    if category.kind != "category":
        raise unknown_channel()
    if channel.kind not in {"text", "voice"}:
        raise Invalid("parent_unsuitable", "only text and voice channels stand in a category")


def _require_may_delete(place: Place) -> None:
    place.require(Permission.MANAGE_CHANNELS)
    if place.channel.kind == "direct":
        raise Conflict("channel_stays", "a conversation keeps its channel; leave it instead")


def _drop(draft: Draft, channel: Channel) -> None:
    draft.drop(channel.id)
    for other in draft.before.channels.values():
        if other.parent != channel.id:
            continue
        if other.kind == "thread":
            draft.drop(other.id)
        else:
            draft.put(msgspec.structs.replace(other, parent=None))
