"""Members over HTTP."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from litestar import Response, delete, get, patch
from litestar.handlers import HTTPRouteHandler
from litestar.params import Parameter

from sidetone.chat.application.manage_members import ManageMembers
from sidetone.chat.application.see_servers import SeeServers
from sidetone.chat.domain.version import version_of
from sidetone.chat.interface.http_pages import LIMIT, Cursor, Limit
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import EditMember, Member
from sidetone.runtime.http_etags import etag, expected
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses

Reason = Annotated[str, Parameter(max_length=512, description="Why, for the audit log.")]


def member_routes(see: SeeServers, manage: ManageMembers) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns members."""
    return [*_reading(see), *_editing(manage)]


def _reading(see: SeeServers) -> Sequence[HTTPRouteHandler]:
    @get(
        "/servers/{server:uuid}/members",
        operation_id="list_members",
        tags=["members"],
        responses=responses(404, 422),
    )
    async def every(
        server: UUID, user: UserId, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[Member]:
        """List the members, longest there first."""
        return await see.members(ServerId(server), user, cursor, limit)

    @get(
        "/servers/{server:uuid}/members/{member:uuid}",
        operation_id="read_member",
        tags=["members"],
        responses=responses(404),
    )
    async def one(server: UUID, member: UUID, user: UserId) -> Response[Member]:
        """Read a member."""
        return _versioned(await see.member(ServerId(server), user, UserId(member)))

    return [every, one]


def _editing(manage: ManageMembers) -> Sequence[HTTPRouteHandler]:
    @patch(
        "/servers/{server:uuid}/members/{member:uuid}",
        operation_id="edit_member",
        tags=["members"],
        responses=responses(404, 409, 422),
    )
    async def edit(
        server: UUID, member: UUID, user: UserId, data: EditMember, request: AnyRequest
    ) -> Response[Member]:
        """Name, time out, mute or deafen a member."""
        edited = await manage.edit(ServerId(server), user, UserId(member), data, expected(request))
        return _versioned(edited)

    @delete(
        "/servers/{server:uuid}/members/{member:uuid}",
        operation_id="remove_member",
        tags=["members"],
        responses=responses(404, 409, 422),
    )
    async def remove(server: UUID, member: UUID, user: UserId, reason: Reason = "") -> None:
        """Kick a member, or leave."""
        await manage.remove(ServerId(server), user, UserId(member), reason)

    return [edit, remove]


def _versioned(member: Member) -> Response[Member]:
    return Response(member, headers={"etag": etag(version_of(member))})
