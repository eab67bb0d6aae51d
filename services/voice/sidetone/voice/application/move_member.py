"""Move somebody to another voice channel, or take them out of the call."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from sidetone.bus import Bus
from sidetone.permissions import Permission
from sidetone.protocol.events import MemberPutOut, MoveRequested, Signal, ToUsers
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.questions import WhatMayUserDo
from sidetone.protocol.refusals import Forbidden, Invalid, NotFound
from sidetone.voice.application.places import Places
from sidetone.voice.domain.occupancy import Occupancy


@dataclass(frozen=True, slots=True)
class MoveMember:
    """Ask the clients to follow; a connection that has not gone in time is ended.

    The unit is told once more if the connection is still there a moment later: the bus may lose
    what it is told.
    """

    places: Places
    occupancy: Occupancy
    bus: Bus
    start: Callable[[Coroutine[Any, Any, None]], None]
    grace_seconds: float

    async def move(
        self, user: UserId, source: ChannelId, target: ChannelId, member: UserId
    ) -> None:
        """Move *member* from *source* to *target*, on behalf of *user*. Raises ``Refusal``."""
        await self._require(user, source)
        await self._require(user, target)
        if await self.places.server_of(source) != await self.places.server_of(target):
            raise Invalid("other_server", "move members within one server")
        self._require_inside(member, source)
        rights = await self.bus.ask(WhatMayUserDo(member, target))
        if Permission.CONNECT not in Permission(rights.permissions):
            raise Forbidden("target_not_allowed", "this member may not connect to that channel")
        if source != target:
            wish = MoveRequested(source, target, user)
            await self.bus.publish(Signal(ToUsers([member]), wish))
            self.start(self._put_out(source, member, self.grace_seconds))

    async def disconnect(self, user: UserId, channel: ChannelId, member: UserId) -> None:
        """Take *member* out of *channel*, on behalf of *user*. Raises ``Refusal``."""
        await self._require(user, channel)
        self._require_inside(member, channel)
        await self.bus.publish(MemberPutOut(channel, member))
        self.start(self._put_out(channel, member, 1.0))

    async def _require(self, user: UserId, channel: ChannelId) -> None:
        rights = Permission((await self.bus.ask(WhatMayUserDo(user, channel))).permissions)
        if Permission.VIEW_CHANNEL not in rights:
            raise NotFound("channel_unknown", "there is no such channel, or you cannot see it")
        if Permission.MOVE_MEMBERS not in rights:
            raise Forbidden("permission_missing", "you need MOVE_MEMBERS in this voice channel")

    def _require_inside(self, member: UserId, channel: ChannelId) -> None:
        if member not in self.occupancy.users(channel):
            raise NotFound("member_absent", "this member is not in that voice channel")

    async def _put_out(self, channel: ChannelId, member: UserId, wait_seconds: float) -> None:
        """End what is left of *member* in *channel* after a while; who came anew stays."""
        before = self._devices(channel, member)
        await asyncio.sleep(wait_seconds)
        if before & self._devices(channel, member):
            await self.bus.publish(MemberPutOut(channel, member))

    def _devices(self, channel: ChannelId, member: UserId) -> set[object]:
        inside = self.occupancy.inside(channel)
        return {device for device, other in inside.items() if other.user == member}
