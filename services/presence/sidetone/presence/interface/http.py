"""The HTTP face of presence. Parses, calls one use case, returns what it returned."""

from typing import Annotated
from uuid import UUID

from litestar import Router, delete, get, put
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler

from sidetone.presence.application.change_relationship import ChangeRelationship
from sidetone.presence.application.find_presence import FindPresence
from sidetone.presence.application.list_relationships import ListRelationships
from sidetone.presence.application.set_presence import SetPresence
from sidetone.presence.domain.status import Wish, described
from sidetone.protocol import social
from sidetone.protocol.ids import UserId
from sidetone.protocol.requests import Page
from sidetone.protocol.social import OwnPresence, Presence, Relationship
from sidetone.runtime.limits import Limiter
from sidetone.runtime.openapi import responses

_TAGS = ["presence"]


def routes(*handlers: ControllerRouterHandler) -> Router:
    """Gather the routes of presence under its path."""
    return Router("/presence", route_handlers=handlers)


def relationship_routes(
    change: ChangeRelationship, list_relationships: ListRelationships, limiter: Limiter
) -> list[ControllerRouterHandler]:
    """Bind what happens between two users."""

    @get("/relationships", operation_id="list_relationships", tags=_TAGS, responses=responses(422))
    async def list_route(
        user: UserId,
        limit: Annotated[int, Parameter(ge=1, le=1000)] = 100,
        cursor: str | None = None,
    ) -> Page[Relationship]:
        """List friends, open requests and blocked users."""
        return await list_relationships(user, limit, cursor)

    @put(
        "/relationships/{other:uuid}",
        operation_id="set_relationship",
        tags=_TAGS,
        responses=responses(404, 409, 422),
    )
    async def set_route(other: UUID, user: UserId, data: social.SetRelationship) -> Relationship:
        """Ask somebody to be friends, accept what they asked, or block them."""
        await limiter.take(str(user))
        if data.kind == "blocked":
            return await change.block(user, UserId(other))
        return await change.befriend(user, UserId(other))

    @delete(
        "/relationships/{other:uuid}",
        operation_id="end_relationship",
        tags=_TAGS,
        responses=responses(404, 409),
    )
    async def end_route(other: UUID, user: UserId) -> None:
        """End a friendship, decline or cancel a request, or unblock somebody."""
        await limiter.take(str(user))
        await change.part(user, UserId(other))

    return [list_route, set_route, end_route]


def presence_routes(
    set_presence: SetPresence, find_presence: FindPresence, limiter: Limiter
) -> list[ControllerRouterHandler]:
    """Bind how users are seen."""

    @get("/me", operation_id="read_own_presence", tags=_TAGS)
    async def read_route(user: UserId) -> OwnPresence:
        """Tell how you are seen while you are there."""
        return described(await set_presence.read(user))

    @put("/me", operation_id="set_presence", tags=_TAGS, responses=responses(422))
    async def set_route(user: UserId, data: social.SetPresence) -> OwnPresence:
        """Change how you are seen while you are there."""
        await limiter.take(str(user))
        wish = Wish(data.status, data.text, data.game, data.clears_at_ms)
        return described(await set_presence(user, wish))

    @get("/users/{other:uuid}", operation_id="find_presence", tags=_TAGS, responses=responses(404))
    async def find_route(other: UUID, user: UserId) -> Presence:
        """Tell how somebody around you is there, or when they were seen last."""
        return await find_presence(user, UserId(other))

    return [read_route, set_route, find_route]
