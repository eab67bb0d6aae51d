"""Templates of servers over HTTP. Codes are guessed at by address, as those of invites are."""

from collections.abc import Sequence
from uuid import UUID

from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.manage_templates import ManageTemplates
from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import SaveTemplate, Template
from sidetone.runtime.addresses import peer_of
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.limits import Limiter
from sidetone.runtime.openapi import responses


def template_routes(manage: ManageTemplates, per_address: Limiter) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns templates."""

    @post(
        "/servers/{server:uuid}/templates",
        operation_id="save_template",
        tags=["templates"],
        scope="manage",
        responses=responses(404, 409, 422),
    )
    async def save(server: UUID, user: UserId, data: SaveTemplate) -> Template:
        """Save a server as a template."""
        return await manage.save(ServerId(server), user, data.name)

    @get("/templates", operation_id="list_templates", tags=["templates"])
    async def every(user: UserId) -> Sequence[Template]:
        """List the templates that you saved."""
        return await manage.of(user)

    @get(
        "/templates/{code:str}",
        operation_id="read_template",
        tags=["templates"],
        responses=responses(404),
    )
    async def one(code: str, user: UserId, request: AnyRequest) -> Template:  # noqa: ARG001 - a token is wanted
        """Read a template."""
        await per_address.take(peer_of(request))
        return await manage.find(code)

    @delete(
        "/templates/{code:str}",
        operation_id="delete_template",
        tags=["templates"],
        scope="manage",
        responses=responses(404),
    )
    async def remove(code: str, user: UserId) -> None:
        """Forget a template of yours."""
        await manage.delete(code, user)

    return [save, every, one, remove]
