"""Call the others of a conversation, and take, decline or cancel such a call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from sidetone.bus import Bus
from sidetone.community import Community
from sidetone.permissions import Permission
from sidetone.protocol.calls import Call
from sidetone.protocol.ids import CallId, ChannelId, UserId
from sidetone.protocol.questions import MayContact, PresencesOf, WhatMayUserDo
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound, Refusal
from sidetone.runtime.clock import Clock
from sidetone.voice.application.places import Places
from sidetone.voice.application.ports import Calls, Stored
from sidetone.voice.domain.call import (
    CallState,
    Party,
    Patience,
    accept,
    begin,
    cancel,
    decline,
    enter,
)

_TRIES_MAX = 5

Step: TypeAlias = Callable[[CallState, UserId, int], CallState]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ring:
    """One call at a time goes on in a conversation: who calls into an open one answers it.

    Whom the caller cannot reach is not told, and looks to the caller like somebody who does not
    answer. Who does not want to be disturbed finds the call in their history.
    """

    calls: Calls
    places: Places
    bus: Bus
    clock: Clock
    patience: Patience

    async def call(self, channel: ChannelId, user: UserId) -> Call:
        """Return the call in *channel* that *user* began or answered. Raises ``Refusal``."""
        rights = await self.bus.ask(WhatMayUserDo(user, channel))
        if Permission.CONNECT not in Permission(rights.permissions):
            raise Forbidden("permission_missing", "you need CONNECT in this conversation")
        community = await self.places.community_of(channel, rights.generation)
        if community.channels[channel].kind != "direct":
            raise Invalid("not_a_conversation", "only conversations ring; join the voice channel")
        for _ in range(_TRIES_MAX):
            going_on = await self.calls.open_in(channel)
            call = (
                await self._begun(channel, user, community)
                if going_on is None
                else await self._entered(going_on, user)
            )
            if call is not None:
                return call.shown()
        raise _raced()

    async def accept(self, call: CallId, user: UserId) -> Call:
        """Take a call on one device of *user*. Raises ``Refusal``."""
        return await self._step(call, user, accept)

    async def decline(self, call: CallId, user: UserId) -> Call:
        """Turn a call down for all devices of *user*. Raises ``Refusal``."""
        return await self._step(call, user, decline)

    async def cancel(self, call: CallId, user: UserId) -> Call:
        """Take a call back that nobody has answered. Raises ``Refusal``."""
        return await self._step(call, user, cancel)

    async def _step(self, call: CallId, user: UserId, step: Step) -> Call:
        for _ in range(_TRIES_MAX):
            stored = await self.calls.find(call)
            if stored is None:
                raise NotFound("call_unknown", "there is no such call")
            after = step(stored.state, user, self.clock.now_ms())
            if await self._changed(stored, after):
                return after.shown()
        raise _raced()

    async def _begun(
        self, channel: ChannelId, user: UserId, community: Community
    ) -> CallState | None:
        others = [UserId(member) for member in community.members if member != user]
        now_ms = self.clock.now_ms()
        call = begin(
            CallId(self.clock.new_id()),
            (community.server.id, channel),
            user,
            await self._parties(user, others),
            now_ms,
            self.patience,
        )
        due_ms = call.due_ms(now_ms, self.patience) or now_ms
        return call if await self.calls.add(call, due_ms) else None

    async def _entered(self, going_on: Stored, user: UserId) -> CallState | None:
        """Return the open call with *user* in it; None if it changed meanwhile."""
        after = enter(going_on.state, user, self.clock.now_ms())
        if after == going_on.state:
            return after
        return after if await self._changed(going_on, after) else None

    async def _changed(self, before: Stored, after: CallState) -> bool:
        due_ms = after.due_ms(self.clock.now_ms(), self.patience)
        return await self.calls.change(before, after, due_ms)

    async def _parties(self, caller: UserId, others: Sequence[UserId]) -> dict[UserId, Party]:
        contacts = await self.bus.ask(MayContact(caller, list(others)))
        busy = await self._busy(others)
        return {
            user: Party(
                "quiet" if user in busy and not contacts[user].blocked else "ringing",
                told=not contacts[user].blocked,
            )
            for user in others
        }

    async def _busy(self, users: Sequence[UserId]) -> set[UserId]:
        """Return who does not want to be disturbed; nobody, where that cannot be known."""
        try:
            presences = await self.bus.ask(PresencesOf(list(users)))
        except Refusal as refusal:
            log.warning("presences_unknown", code=refusal.code)
            return set()
        return {presence.user for presence in presences if presence.status == "dnd"}


def _raced() -> Conflict:
    return Conflict("call_raced", "the call changed at the same moment; look again")
