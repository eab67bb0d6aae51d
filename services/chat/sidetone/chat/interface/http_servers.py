"""Servers over HTTP."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Response, delete, get, patch, post
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.manage_servers import ManageServers
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.domain.version import version_of
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import (
    CreateServer,
    EditServer,
    Server,
    ServerState,
    TransferServer,
)
from sidetone.runtime.http_etags import etag, expected
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses


def server_routes(see: SeeServers, manage: ManageServers) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns servers as a whole."""
    return [*_reading(see), *_editing(manage)]


def _reading(see: SeeServers) -> Sequence[HTTPRouteHandler]:
    @get("/servers", operation_id="list_servers", tags=["servers"])
    async def every(user: UserId) -> Sequence[Server]:
        """List the servers that you are a member of."""
        return await see.of(user)

    @get(
        "/servers/{server:uuid}",
        operation_id="read_server",
        tags=["servers"],
        responses=responses(404),
    )
    async def one(server: UUID, user: UserId) -> Response[Server]:
        """Read a server."""
        return _versioned((await see.state(ServerId(server), user)).server)

    @get(
        "/servers/{server:uuid}/state",
        operation_id="read_server_state",
        tags=["servers"],
        responses=responses(404),
    )
    async def state(server: UUID, user: UserId) -> ServerState:
        """Read a server with its roles, members, emoji and the channels that you see."""
        return await see.state(ServerId(server), user)

    return [every, one, state]


def _editing(manage: ManageServers) -> Sequence[HTTPRouteHandler]:
    @post(
        "/servers",
        operation_id="create_server",
        tags=["servers"],
        responses=responses(404, 409, 422),
    )
    async def create(user: UserId, data: CreateServer) -> Server:
        """Create a server, which is yours."""
        return await manage.create(user, data)

    @patch(
        "/servers/{server:uuid}",
        operation_id="edit_server",
        tags=["servers"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def edit(
        server: UUID, user: UserId, data: EditServer, request: AnyRequest
    ) -> Response[Server]:
        """Edit a server."""
        return _versioned(await manage.edit(ServerId(server), user, data, expected(request)))

    @post(
        "/servers/{server:uuid}/transfer",
        operation_id="transfer_server",
        tags=["servers"],
        status_code=200,
        scope="manage",
        privileged=True,
        responses=responses(404),
    )
    async def transfer(server: UUID, user: UserId, data: TransferServer) -> Server:
        """Make another member the owner of your server."""
        return await manage.transfer(ServerId(server), user, data.user)

    @delete(
        "/servers/{server:uuid}",
        operation_id="delete_server",
        tags=["servers"],
        scope="manage",
        privileged=True,
        responses=responses(404),
    )
    async def remove(server: UUID, user: UserId) -> None:
        """Delete your server with all that is in it."""
        await manage.delete(ServerId(server), user)

    return [create, edit, transfer, remove]


def _versioned(server: Server) -> Response[Server]:
    return Response(server, headers={"etag": etag(version_of(server))})
