"""Slash commands over HTTP."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from litestar import get, post, put
from litestar.handlers import HTTPRouteHandler

from sidetone.integrations.application.answer_command import AnswerCommand
from sidetone.integrations.application.invoke_command import InvokeCommand
from sidetone.integrations.application.manage_commands import ManageCommands
from sidetone.protocol import commands
from sidetone.protocol.commands import (
    AnswerInvocation,
    Command,
    Invocation,
    RegisterCommands,
)
from sidetone.protocol.ids import ChannelId, CommandId, InvocationId, ServerId, UserId
from sidetone.runtime.openapi import responses

_TAGS = ["commands"]


class CommandCases(msgspec.Struct, frozen=True):
    """Everything that can be done with commands."""

    manage: ManageCommands
    invoke: InvokeCommand
    answer: AnswerCommand


def command_routes(cases: CommandCases) -> Sequence[HTTPRouteHandler]:
    """Bind what concerns commands."""

    @put("/commands", operation_id="register_commands", tags=_TAGS, responses=responses(422))
    async def register(user: UserId, data: RegisterCommands) -> Sequence[Command]:
        """Say all that you, a bot, can be asked; what is not named is gone."""
        return await cases.manage.register(user, data.commands)

    @get(
        "/servers/{server:uuid}/commands",
        operation_id="list_commands",
        tags=_TAGS,
        responses=responses(404),
    )
    async def every(server: UUID, user: UserId) -> Sequence[Command]:
        """List what the bots of the server can be asked."""
        return await cases.manage.of(ServerId(server), user)

    @post(
        "/channels/{channel:uuid}/commands/{command:uuid}",
        operation_id="invoke_command",
        tags=_TAGS,
        responses=responses(404, 422),
    )
    async def invoke(
        channel: UUID, command: UUID, user: UserId, data: commands.InvokeCommand
    ) -> Invocation:
        """Ask a bot; what it answers comes over the gateway."""
        return await cases.invoke(ChannelId(channel), CommandId(command), user, data.options)

    @post(
        "/invocations/{invocation:uuid}/answer",
        operation_id="answer_invocation",
        tags=_TAGS,
        status_code=204,
        responses=responses(404, 409, 422),
    )
    async def answer(invocation: UUID, user: UserId, data: AnswerInvocation) -> None:
        """Answer what you, a bot, were asked, or say that it takes longer."""
        await cases.answer(InvocationId(invocation), user, data)

    return [register, every, invoke, answer]
