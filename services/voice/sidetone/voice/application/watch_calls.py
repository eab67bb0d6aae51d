"""Let calls see the time, and who is in their rooms."""

import asyncio
from dataclasses import dataclass
from typing import NoReturn

import structlog

from sidetone.protocol.events import AccountClosed, Fact
from sidetone.protocol.ids import CallId, ChannelId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.voice.application.ports import Calls, Stored
from sidetone.voice.domain.call import Patience, occupied, passed
from sidetone.voice.domain.occupancy import Occupancy

# By then every unit has told of its rooms: before, they would look empty.
_LISTENS_FIRST_SECONDS = 3.0
_EVERY_SECONDS = 0.5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class WatchCalls:
    """Looks at calls whose time has come, and at one whose room changed.

    Every replica looks. A call is stored with the time of its next look, so that a restart
    forgets none, and only if it is as it was read, so that one step is taken and told once.
    """

    calls: Calls
    occupancy: Occupancy
    clock: Clock
    patience: Patience

    async def run(self) -> NoReturn:
        """Look at whatever is due, for as long as the process lives."""
        await asyncio.sleep(_LISTENS_FIRST_SECONDS)
        while True:
            try:
                for call in await self.calls.due(self.clock.now_ms()):
                    await self._look(call)
            except Unavailable as unavailable:
                log.warning("calls_wait", reason=unavailable.detail)
            except Exception:
                log.exception("calls_not_watched")
            await asyncio.sleep(_EVERY_SECONDS)

    async def room_changed(self, channel: ChannelId) -> None:
        """Look at the call in *channel*, if there is one."""
        stored = await self.calls.open_in(channel)
        if stored is not None:
            await self._advance(stored)

    async def hear(self, fact: Fact) -> None:
        """Forget the history of a closed account. Raises ``Unavailable``: it comes again."""
        if isinstance(fact.event, AccountClosed):
            await self.calls.forget(fact.event.user)

    async def _look(self, call: CallId) -> None:
        stored = await self.calls.find(call)
        if stored is not None and stored.state.outcome == "open":
            await self._advance(stored)

    async def _advance(self, stored: Stored) -> None:
        """Take the step that is due. If somebody else took one meanwhile, the next look does."""
        now_ms = self.clock.now_ms()
        present = self.occupancy.users(stored.state.channel)
        after = passed(occupied(stored.state, present, now_ms), now_ms, self.patience)
        await self.calls.change(stored, after, after.due_ms(now_ms, self.patience))
