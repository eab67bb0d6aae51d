"""Channels, categories and overwrites over HTTP."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.manage_channels import ManageChannels
from sidetone.chat.application.manage_overwrites import ManageOverwrites
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.domain.member import unknown_member
from sidetone.chat.domain.version import version_of
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import (
    Channel,
    CreateChannel,
    EditChannel,
    OrderChannels,
    SetOverwrite,
)
from sidetone.runtime.http_etags import etag, expected
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses


def channel_routes(
    see: SeeServers, manage: ManageChannels, overwrites: ManageOverwrites
) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns channels, but for what is written in them."""
    return [*_reading(see), *_editing(manage), *_overwrites(overwrites)]


def _reading(see: SeeServers) -> Sequence[HTTPRouteHandler]:
    @get(
        "/servers/{server:uuid}/channels",
        operation_id="list_channels",
        tags=["channels"],
        responses=responses(404),
    )
    async def every(server: UUID, user: UserId) -> Sequence[Channel]:
        """List the channels that you see, from the top."""
        return await see.channels(ServerId(server), user)

    @get(
        "/channels/{channel:uuid}",
        operation_id="read_channel",
        tags=["channels"],
        responses=responses(404),
    )
    async def one(channel: UUID, user: UserId) -> Response[Channel]:
        """Read a channel."""
        return _versioned(await see.channel(ChannelId(channel), user))

    return [every, one]


def _editing(manage: ManageChannels) -> Sequence[HTTPRouteHandler]:
    @post(
        "/servers/{server:uuid}/channels",
        operation_id="create_channel",
        tags=["channels"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def create(server: UUID, user: UserId, data: CreateChannel) -> Channel:
        """Create a channel or a category, below the others."""
        return await manage.create(ServerId(server), user, data)

    @put(
        "/servers/{server:uuid}/channels/order",
        operation_id="order_channels",
        tags=["channels"],
        scope="manage",
        status_code=204,
        responses=responses(404, 409),
    )
    async def order(server: UUID, user: UserId, data: OrderChannels) -> None:
        """Put the channels in order."""
        await manage.order(ServerId(server), user, data.channels)

    @patch(
        "/channels/{channel:uuid}",
        operation_id="edit_channel",
        tags=["channels"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def edit(
        channel: UUID, user: UserId, data: EditChannel, request: AnyRequest
    ) -> Response[Channel]:
        """Edit a channel, or move it to another category."""
        return _versioned(await manage.edit(ChannelId(channel), user, data, expected(request)))

    @delete(
        "/channels/{channel:uuid}",
        operation_id="delete_channel",
        tags=["channels"],
        scope="manage",
        responses=responses(404, 409),
    )
    async def remove(channel: UUID, user: UserId) -> None:
        """Delete a channel; the channels of a category stay."""
        await manage.delete(ChannelId(channel), user)

    return [create, order, edit, remove]


def _overwrites(overwrites: ManageOverwrites) -> Sequence[HTTPRouteHandler]:
    @put(
        "/channels/{channel:uuid}/overwrites/{subject:str}",
        operation_id="set_overwrite",
        tags=["channels"],
        scope="manage",
        status_code=204,
        responses=responses(404, 409, 422),
    )
    async def put_one(channel: UUID, subject: str, user: UserId, data: SetOverwrite) -> None:
        """Allow and deny abilities to everyone, a role or a member; none: as without it."""
        await overwrites.put(ChannelId(channel), user, _subject(subject), data)

    @delete(
        "/channels/{channel:uuid}/overwrites/{subject:str}",
        operation_id="remove_overwrite",
        tags=["channels"],
        scope="manage",
        responses=responses(404, 409),
    )
    async def remove(channel: UUID, subject: str, user: UserId) -> None:
        """Neither allow nor deny anything to everyone, a role or a member."""
        await overwrites.put(ChannelId(channel), user, _subject(subject), SetOverwrite(0, 0))

    return [put_one, remove]


def _versioned(channel: Channel) -> Response[Channel]:
    return Response(channel, headers={"etag": etag(version_of(channel))})


def _subject(text: str) -> UUID | None:
    """Return whose overwrite is meant; None: everyone's."""
    if text == "everyone":
        return None
    try:
        return UUID(text)
    except ValueError:
        raise unknown_member() from None
