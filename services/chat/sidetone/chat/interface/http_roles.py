"""Roles over HTTP."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Response, delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.manage_roles import ManageRoles
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.domain.version import version_of
from sidetone.protocol.ids import RoleId, ServerId, UserId
from sidetone.protocol.servers import CreateRole, EditRole, Member, OrderRoles, Role
from sidetone.runtime.http_etags import etag, expected
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses


def role_routes(see: SeeServers, manage: ManageRoles) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns roles."""
    return [*_reading(see), *_editing(manage), *_giving(manage)]


def _reading(see: SeeServers) -> Sequence[HTTPRouteHandler]:
    @get(
        "/servers/{server:uuid}/roles",
        operation_id="list_roles",
        tags=["roles"],
        responses=responses(404),
    )
    async def every(server: UUID, user: UserId) -> Sequence[Role]:
        """List the roles, everyone's first and the highest last."""
        return await see.roles(ServerId(server), user)

    @get(
        "/servers/{server:uuid}/roles/{role:uuid}",
        operation_id="read_role",
        tags=["roles"],
        responses=responses(404),
    )
    async def one(server: UUID, role: UUID, user: UserId) -> Response[Role]:
        """Read a role."""
        return _versioned(await see.role(ServerId(server), user, RoleId(role)))

    return [every, one]


def _editing(manage: ManageRoles) -> Sequence[HTTPRouteHandler]:
    @post(
        "/servers/{server:uuid}/roles",
        operation_id="create_role",
        tags=["roles"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def create(server: UUID, user: UserId, data: CreateRole) -> Role:
        """Create a role, the lowest above everyone's."""
        return await manage.create(ServerId(server), user, data)

    @put(
        "/servers/{server:uuid}/roles/order",
        operation_id="order_roles",
        tags=["roles"],
        scope="manage",
        status_code=204,
        responses=responses(404, 409),
    )
    async def order(server: UUID, user: UserId, data: OrderRoles) -> None:
        """Put the roles in order."""
        await manage.order(ServerId(server), user, data.roles)

    @patch(
        "/servers/{server:uuid}/roles/{role:uuid}",
        operation_id="edit_role",
        tags=["roles"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def edit(
        server: UUID, role: UUID, user: UserId, data: EditRole, request: AnyRequest
    ) -> Response[Role]:
        """Edit a role."""
        edited = await manage.edit(ServerId(server), user, RoleId(role), data, expected(request))
        return _versioned(edited)

    @delete(
        "/servers/{server:uuid}/roles/{role:uuid}",
        operation_id="delete_role",
        tags=["roles"],
        scope="manage",
        responses=responses(404, 409),
    )
    async def remove(server: UUID, role: UUID, user: UserId) -> None:
        """Delete a role."""
        await manage.delete(ServerId(server), user, RoleId(role))

    return [create, order, edit, remove]


def _giving(manage: ManageRoles) -> Sequence[HTTPRouteHandler]:
    @put(
        "/servers/{server:uuid}/members/{member:uuid}/roles/{role:uuid}",
        operation_id="give_role",
        tags=["roles"],
        scope="manage",
        responses=responses(404),
    )
    async def give(server: UUID, member: UUID, role: UUID, user: UserId) -> Member:
        """Give a role to a member."""
        return await manage.give(ServerId(server), user, UserId(member), RoleId(role))

    @delete(
        "/servers/{server:uuid}/members/{member:uuid}/roles/{role:uuid}",
        operation_id="take_role",
        tags=["roles"],
        scope="manage",
        responses=responses(404),
    )
    async def take(server: UUID, member: UUID, role: UUID, user: UserId) -> None:
        """Take a role from a member."""
        await manage.take(ServerId(server), user, UserId(member), RoleId(role))

    return [give, take]


def _versioned(role: Role) -> Response[Role]:
    return Response(role, headers={"etag": etag(version_of(role))})
