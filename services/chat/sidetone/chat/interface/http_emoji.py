"""A server's own emoji over HTTP."""

from collections.abc import Sequence
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.manage_emoji import ManageEmoji
from sidetone.protocol.ids import EmojiId, ServerId, UserId
from sidetone.protocol.servers import CreateEmoji, EditEmoji, Emoji
from sidetone.runtime.openapi import responses


def emoji_routes(manage: ManageEmoji) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns emoji."""

    @get(
        "/servers/{server:uuid}/emoji",
        operation_id="list_emoji",
        tags=["emoji"],
        responses=responses(404),
    )
    async def every(server: UUID, user: UserId) -> Sequence[Emoji]:
        """List the server's emoji."""
        return await manage.of(ServerId(server), user)

    @post(
        "/servers/{server:uuid}/emoji",
        operation_id="create_emoji",
        tags=["emoji"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def create(server: UUID, user: UserId, data: CreateEmoji) -> Emoji:
        """Add an emoji whose picture you have uploaded."""
        return await manage.create(ServerId(server), user, data)

    @patch(
        "/servers/{server:uuid}/emoji/{emoji:uuid}",
        operation_id="edit_emoji",
        tags=["emoji"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def edit(server: UUID, emoji: UUID, user: UserId, data: EditEmoji) -> Emoji:
        """Rename an emoji."""
        return await manage.rename(ServerId(server), user, EmojiId(emoji), data.name)

    @delete(
        "/servers/{server:uuid}/emoji/{emoji:uuid}",
        operation_id="delete_emoji",
        tags=["emoji"],
        scope="manage",
        responses=responses(404),
    )
    async def remove(server: UUID, emoji: UUID, user: UserId) -> None:
        """Remove an emoji."""
        await manage.delete(ServerId(server), user, EmojiId(emoji))

    return [every, create, edit, remove]
