"""Conversations of two and of groups over HTTP."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from sidetone.chat.application.manage_conversations import ManageConversations
from sidetone.chat.interface.http_pages import LIMIT, Limit
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import CreateConversation, EditConversation, Server, ServerState
from sidetone.runtime.openapi import responses

Cursor = Annotated[UUID | None, Parameter(description="The `next` of the page before.")]
_CREATED, _FOUND = 201, 200


def conversation_routes(manage: ManageConversations) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns conversations."""
    return [*_reading(manage), *_group(manage)]


def _reading(manage: ManageConversations) -> Sequence[HTTPRouteHandler]:
    @post(
        "/conversations",
        operation_id="open_conversation",
        tags=["conversations"],
        responses=responses(404, 409, 422),
    )
    async def create(user: UserId, data: CreateConversation) -> Response[ServerState]:
        """Open a conversation with one, or with a few; that with one is always the same."""
        state, new = await manage.open(user, data)
        return Response(state, status_code=_CREATED if new else _FOUND)

    @get("/conversations", operation_id="list_conversations", tags=["conversations"])
    async def every(
        user: UserId, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[ServerState]:
        """List your conversations, newest first."""
        return await manage.of(user, None if cursor is None else ServerId(cursor), limit)

    @get(
        "/conversations/{server:uuid}",
        operation_id="read_conversation",
        tags=["conversations"],
        responses=responses(404),
    )
    async def one(server: UUID, user: UserId) -> ServerState:
        """Read a conversation."""
        return await manage.one(ServerId(server), user)

    return [create, every, one]


def _group(manage: ManageConversations) -> Sequence[HTTPRouteHandler]:
    @patch(
        "/conversations/{server:uuid}",
        operation_id="edit_conversation",
        tags=["conversations"],
        responses=responses(404, 409, 422),
    )
    async def edit(server: UUID, user: UserId, data: EditConversation) -> Server:
        """Name a group."""
        return await manage.rename(ServerId(server), user, data.name)

    @put(
        "/conversations/{server:uuid}/members/{other:uuid}",
        operation_id="add_to_conversation",
        tags=["conversations"],
        status_code=204,
        responses=responses(404, 409),
    )
    async def add(server: UUID, other: UUID, user: UserId) -> None:
        """Bring a friend into a group."""
        await manage.add(ServerId(server), user, UserId(other))

    @delete(
        "/conversations/{server:uuid}/members/{other:uuid}",
        operation_id="remove_from_conversation",
        tags=["conversations"],
        responses=responses(404, 409),
    )
    async def remove(server: UUID, other: UUID, user: UserId) -> None:
        """Leave a group, or take another out of one that you opened."""
        await manage.remove(ServerId(server), user, UserId(other))

    return [edit, add, remove]
