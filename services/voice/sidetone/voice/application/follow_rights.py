"""Carry every change of rights to the forwarding units."""

import asyncio
from collections.abc import Sequence
from itertools import islice

import structlog

from sidetone.bus import Bus
from sidetone.permissions import Permission
from sidetone.protocol.events import RightsChanged, VoiceRights
from sidetone.protocol.ids import ChannelId, UserId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.voice.application.ports import Watermarks
from sidetone.voice.domain.rights import perms_of

PENDING_MAX = 20_000
_BATCH = 200

log = structlog.get_logger(__name__)


class FollowRights:
    """Store each change as a watermark, then tell the units.

    In this order, so that a unit that is briefed at the same moment misses nothing. Changes are
    taken at once and stored in batches: one overwrite can change the rights of thousands, and the
    bus drops what is not taken in time. When the database is down the units are told all the
    same, since closing a call matters more than remembering that it was closed.
    """

    def __init__(self, watermarks: Watermarks, bus: Bus, clock: Clock) -> None:
        self._watermarks = watermarks
        self._bus = bus
        self._clock = clock
        self._pending: dict[tuple[ChannelId, UserId], VoiceRights] = {}
        self._work: asyncio.Task[None] | None = None

    async def __call__(self, change: RightsChanged) -> None:
        """Take *change* over; waits only when very many are waiting already."""
        rights = VoiceRights(
            change.channel,
            change.user,
            int(perms_of(Permission(change.permissions))),
            change.generation,
        )
        place = (change.channel, change.user)
        waiting = self._pending.get(place)
        if waiting is None or waiting.generation <= rights.generation:
            self._pending[place] = rights
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._work_off())
        if len(self._pending) >= PENDING_MAX:
            await self._work

    async def _work_off(self) -> None:
        while batch := [self._pending.pop(place) for place in list(islice(self._pending, _BATCH))]:
            try:
                for rights in await self._stored(batch):
                    await self._bus.publish(rights)
            except Exception:
                log.exception("rights_not_followed", count=len(batch))
            await asyncio.sleep(0)

    async def _stored(self, batch: Sequence[VoiceRights]) -> Sequence[VoiceRights]:
        try:
            return await self._watermarks.raise_to(batch, self._clock.now_ms())
        except Unavailable as problem:
            log.warning("watermarks_not_stored", code=problem.code, count=len(batch))
            return batch
