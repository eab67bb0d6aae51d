"""The HTTP face of voice. Parses, calls one use case, returns what it returned."""

from typing import Annotated
from uuid import UUID

from litestar import Router, delete, get, post
from litestar.params import Parameter
from litestar.types import ControllerRouterHandler

from sidetone.protocol import calls
from sidetone.protocol.calls import Call, CallRecord, VoiceTicket
from sidetone.protocol.ids import CallId, ChannelId, UserId
from sidetone.protocol.requests import Page
from sidetone.runtime.callers import Caller
from sidetone.runtime.limits import Limiter
from sidetone.runtime.openapi import responses
from sidetone.voice.application.join_voice import JoinVoice
from sidetone.voice.application.list_calls import ListCalls
from sidetone.voice.application.move_member import MoveMember
from sidetone.voice.application.ring import Ring

_TAGS = ["voice"]


def routes(*handlers: ControllerRouterHandler) -> Router:
    """Gather the routes of voice under its path."""
    return Router("/voice", route_handlers=handlers)


def channel_routes(
    join_voice: JoinVoice, move_member: MoveMember, limiter: Limiter
) -> list[ControllerRouterHandler]:
    """Bind what happens in voice channels."""

    @post(
        "/channels/{channel:uuid}/join",
        status_code=200,
        operation_id="join_voice",
        tags=_TAGS,
        responses=responses(404),
    )
    async def join(channel: UUID, caller: Caller, data: calls.JoinVoice) -> VoiceTicket:
        """Get what opens the door to a voice channel or a call."""
        return await join_voice(ChannelId(channel), caller.user, data.device, caller.login)

    @post(
        "/channels/{channel:uuid}/members/{member:uuid}/move",
        status_code=204,
        operation_id="move_member",
        tags=_TAGS,
        responses=responses(404, 422),
    )
    async def move(channel: UUID, member: UUID, user: UserId, data: calls.MoveMember) -> None:
        """Move somebody to another voice channel of the server."""
        await limiter.take(str(user))
        await move_member.move(user, ChannelId(channel), data.target, UserId(member))

    @delete(
        "/channels/{channel:uuid}/members/{member:uuid}",
        operation_id="disconnect_member",
        tags=_TAGS,
        responses=responses(404),
    )
    async def disconnect(channel: UUID, member: UUID, user: UserId) -> None:
        """Take somebody out of a voice channel; they may come back."""
        await limiter.take(str(user))
        await move_member.disconnect(user, ChannelId(channel), UserId(member))

    return [join, move, disconnect]


def call_routes(ring: Ring, limiter: Limiter) -> list[ControllerRouterHandler]:
    """Bind what happens around calls in conversations."""

    @post(
        "/channels/{channel:uuid}/call",
        operation_id="call",
        tags=_TAGS,
        responses=responses(404, 409, 422),
    )
    async def call_route(channel: UUID, user: UserId) -> Call:
        """Call the others of a conversation, or answer the call that goes on there."""
        await limiter.take(str(user))
        return await ring.call(ChannelId(channel), user)

    @post(
        "/calls/{call:uuid}/accept",
        status_code=200,
        operation_id="accept_call",
        tags=_TAGS,
        responses=responses(404, 409),
    )
    async def accept(call: UUID, user: UserId) -> Call:
        """Take a call on this device; your others stop ringing."""
        return await ring.accept(CallId(call), user)

    @post(
        "/calls/{call:uuid}/decline",
        status_code=200,
        operation_id="decline_call",
        tags=_TAGS,
        responses=responses(404, 409),
    )
    async def decline(call: UUID, user: UserId) -> Call:
        """Turn a call down."""
        return await ring.decline(CallId(call), user)

    @post(
        "/calls/{call:uuid}/cancel",
        status_code=200,
        operation_id="cancel_call",
        tags=_TAGS,
        responses=responses(404, 409),
    )
    async def cancel(call: UUID, user: UserId) -> Call:
        """Take back a call that nobody has answered."""
        return await ring.cancel(CallId(call), user)

    return [call_route, accept, decline, cancel]


def history_routes(list_calls: ListCalls) -> list[ControllerRouterHandler]:
    """Bind what is told of calls."""

    @get("/calls/{call:uuid}", operation_id="read_call", tags=_TAGS, responses=responses(404))
    async def read(call: UUID, user: UserId) -> CallRecord:
        """Tell of one call."""
        return await list_calls.one(CallId(call), user)

    @get("/calls", operation_id="list_calls", tags=_TAGS, responses=responses(422))
    async def history(
        user: UserId,
        channel: UUID | None = None,
        limit: Annotated[int, Parameter(ge=1, le=100)] = 50,
        cursor: str | None = None,
    ) -> Page[CallRecord]:
        """List your calls, the latest first, of all conversations or of one."""
        place = None if channel is None else ChannelId(channel)
        return await list_calls(user, place, limit, cursor)

    return [read, history]
