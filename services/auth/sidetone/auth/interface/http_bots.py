"""Bots, for their owners and for themselves."""

from uuid import UUID

from litestar import delete, get, patch, post
from litestar.types import ControllerRouterHandler

from sidetone.auth.application.log_in_bot import LogInBot
from sidetone.auth.application.manage_bots import ManageBots
from sidetone.auth.interface.http import PEOPLE, client_of
from sidetone.protocol import bots as bodies
from sidetone.protocol.ids import UserId
from sidetone.runtime.http_requests import AnyRequest
from sidetone.runtime.openapi import responses

_TAGS = ["bots"]


def bot_routes(bots: ManageBots, log_in: LogInBot) -> list[ControllerRouterHandler]:
    """Bind making bots, and logging in as one."""

    @get("/bots", operation_id="list_bots", tags=_TAGS, scope=PEOPLE)
    async def listed(user: UserId) -> list[bodies.Bot]:
        """List your bots."""
        return await bots.list(user)

    @post(
        "/bots",
        operation_id="create_bot",
        tags=_TAGS,
        responses=responses(409, 422),
        scope=PEOPLE,
        privileged=True,
    )
    async def create(user: UserId, data: bodies.CreateBot) -> bodies.BotToken:
        """Make a bot; its token is shown this once."""
        return await bots.create(user, data.name, data.scopes)

    @post(
        "/bots/token",
        status_code=200,
        operation_id="log_in_bot",
        tags=_TAGS,
        responses=responses(401),
    )
    async def token(request: AnyRequest, data: bodies.LogInBot) -> bodies.BotLoggedIn:
        """Exchange a bot's token for an access token."""
        return await log_in(data.token, client_of(request))

    return [listed, create, token]


def owned_bot_routes(bots: ManageBots) -> list[ControllerRouterHandler]:
    """Bind what an owner does to a bot."""

    @patch(
        "/bots/{bot:uuid}",
        operation_id="edit_bot",
        tags=_TAGS,
        responses=responses(404, 409, 422),
        scope=PEOPLE,
        privileged=True,
    )
    async def edit(bot: UUID, user: UserId, data: bodies.EditBot) -> bodies.Bot:
        """Change what a bot may do, or how it is shown."""
        return await bots.edit(user, UserId(bot), data)

    @post(
        "/bots/{bot:uuid}/token",
        operation_id="change_bot_token",
        tags=_TAGS,
        responses=responses(404, 409),
        scope=PEOPLE,
        privileged=True,
    )
    async def change_token(bot: UUID, user: UserId) -> bodies.BotToken:
        """Give a bot a new token; the old one is void at once."""
        return await bots.change_token(user, UserId(bot))

    @delete(
        "/bots/{bot:uuid}",
        operation_id="delete_bot",
        tags=_TAGS,
        responses=responses(404),
        scope=PEOPLE,
        privileged=True,
    )
    async def remove(bot: UUID, user: UserId) -> None:
        """Delete a bot for ever."""
        await bots.remove(user, UserId(bot))

    return [edit, change_token, remove]
