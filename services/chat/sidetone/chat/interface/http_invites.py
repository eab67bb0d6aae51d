"""Invites over HTTP. Codes are guessed at by address: looking one up is limited."""

from collections.abc import Sequence
from uuid import UUID

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.manage_invites import ManageInvites
from sidetone.chat.interface.http_pages import LIMIT, Cursor, Limit
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.servers import CreateInvite, Invite, InvitePreview, Server
from sidetone.runtime.addresses import peer_of
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.limits import Limiter
from sidetone.runtime.openapi import responses


def invite_routes(manage: ManageInvites, per_address: Limiter) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns invites."""
    return [*_of_servers(manage), *_by_code(manage, per_address)]


def _of_servers(manage: ManageInvites) -> Sequence[HTTPRouteHandler]:
    @post(
        "/servers/{server:uuid}/invites",
        operation_id="create_invite",
        tags=["invites"],
        responses=responses(404, 409, 422),
    )
    async def create(server: UUID, user: UserId, data: CreateInvite) -> Invite:
        """Create an invite."""
        return await manage.create(ServerId(server), user, data)

    @get(
        "/servers/{server:uuid}/invites",
        operation_id="list_invites",
        tags=["invites"],
        scope="manage",
        responses=responses(404),
    )
    async def every(
        server: UUID, user: UserId, limit: Limit = LIMIT, cursor: Cursor = None
    ) -> Page[Invite]:
        """List the invites of a server."""
        return await manage.of(ServerId(server), user, cursor, limit)

    return [create, every]


def _by_code(manage: ManageInvites, per_address: Limiter) -> Sequence[HTTPRouteHandler]:
    @get(
        "/invites/{code:str}",
        operation_id="preview_invite",
        tags=["invites"],
        responses=responses(404),
    )
    async def preview(code: str, user: UserId, request: AnyRequest) -> InvitePreview:  # noqa: ARG001 - a token is wanted
        """See where an invite leads, without going there."""
        await per_address.take(peer_of(request))
        return await manage.preview(code)

    @post(
        "/invites/{code:str}/accept",
        operation_id="accept_invite",
        tags=["invites"],
        status_code=200,
        responses=responses(404, 409),
    )
    async def accept(code: str, user: UserId, request: AnyRequest) -> Server:
        """Become a member."""
        await per_address.take(peer_of(request))
        return await manage.accept(code, user)

    @delete(
        "/invites/{code:str}",
        operation_id="revoke_invite",
        tags=["invites"],
        responses=responses(404),
    )
    async def revoke(code: str, user: UserId, request: AnyRequest) -> None:
        """Make an invite useless."""
        await per_address.take(peer_of(request))
        await manage.revoke(code, user)

    return [preview, accept, revoke]
