"""The HTTP face of chat. Parses, calls one use case, returns what it returned."""

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from litestar import Request, Router, delete, get, post, put
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler

from sidetone.chat.application.accept_invite import AcceptInvite
from sidetone.chat.application.create_channel import CreateChannel
from sidetone.chat.application.create_invite import CreateInvite
from sidetone.chat.application.create_server import CreateServer
from sidetone.chat.application.list_channels import ListChannels
from sidetone.chat.application.list_members import ListMembers
from sidetone.chat.application.list_servers import ListServers
from sidetone.chat.application.remove_member import RemoveMember
from sidetone.chat.application.set_overwrite import SetOverwrite
from sidetone.chat.domain.server import unknown_member
from sidetone.credentials.limits import Limiter
from sidetone.protocol import servers
from sidetone.protocol.ids import ChannelId, ServerId, UserId
from sidetone.protocol.servers import Channel, Invite, Member, Server
from sidetone.runtime.addresses import peer_of
from sidetone.runtime.clock import Clock

AnyRequest: TypeAlias = Request[Any, Any, State]


class UseCases(msgspec.Struct, frozen=True):
    """Everything that can be asked of chat over HTTP."""

    create_server: CreateServer
    list_servers: ListServers
    create_channel: CreateChannel
    list_channels: ListChannels
    list_members: ListMembers
    remove_member: RemoveMember
    create_invite: CreateInvite
    accept_invite: AcceptInvite
    set_overwrite: SetOverwrite


def routes(chat: UseCases, invites_per_address: Limiter, clock: Clock) -> Router:
    """Bind the use cases to their paths."""
    handlers = [
        *_servers(chat),
        *_channels(chat),
        *_members(chat),
        *_invites(chat, invites_per_address, clock),
    ]
    return Router("/chat", route_handlers=handlers)


def _servers(chat: UseCases) -> Sequence[HTTPRouteHandler]:
    @post("/servers")
    async def create(user: UserId, data: servers.CreateServer) -> Server:
        return await chat.create_server(user, data.name)

    @get("/servers")
    async def every(user: UserId) -> Sequence[Server]:
        return await chat.list_servers(user)

    return [create, every]


def _channels(chat: UseCases) -> Sequence[HTTPRouteHandler]:
    @post("/servers/{server:uuid}/channels")
    async def create(server: UUID, user: UserId, data: servers.CreateChannel) -> Channel:
        return await chat.create_channel(ServerId(server), user, data.name, data.kind)

    @get("/servers/{server:uuid}/channels")
    async def every(server: UUID, user: UserId) -> Sequence[Channel]:
        return await chat.list_channels(ServerId(server), user)

    @put("/channels/{channel:uuid}/overwrites/{subject:str}", status_code=204)
    async def overwrite(
        channel: UUID, subject: str, user: UserId, data: servers.SetOverwrite
    ) -> None:
        await chat.set_overwrite(ChannelId(channel), user, _subject(subject), data)

    return [create, every, overwrite]


def _members(chat: UseCases) -> Sequence[HTTPRouteHandler]:
    @get("/servers/{server:uuid}/members")
    async def every(server: UUID, user: UserId) -> Sequence[Member]:
        return await chat.list_members(ServerId(server), user)

    @delete("/servers/{server:uuid}/members/{member:uuid}")
    async def remove(server: UUID, member: UUID, user: UserId) -> None:
        await chat.remove_member(ServerId(server), user, UserId(member))

    return [every, remove]


def _invites(
    chat: UseCases, invites_per_address: Limiter, clock: Clock
) -> Sequence[HTTPRouteHandler]:
    @post("/servers/{server:uuid}/invites")
    async def create(server: UUID, user: UserId, data: servers.CreateInvite) -> Invite:
        return await chat.create_invite(ServerId(server), user, data)

    @post("/invites/{code:str}/accept", status_code=200)
    async def accept(code: str, user: UserId, request: AnyRequest) -> Server:
        invites_per_address.take(peer_of(request), clock.now_ms())
        return await chat.accept_invite(code, user)

    return [create, accept]


def _subject(text: str) -> UserId | None:
    """Return the member whose overwrite is meant; None: everyone's."""
    if text == "everyone":
        return None
    try:
        return UserId(UUID(text))
    except ValueError:
        raise unknown_member() from None
