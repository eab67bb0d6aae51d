"""Follow the sessions of all gateways, and look at users when it is time."""

import asyncio
from typing import NoReturn

import structlog

from sidetone.presence.application.ports import Sessions
from sidetone.presence.application.show_presence import ShowPresence
from sidetone.presence.domain.watch import Timing, Watch
from sidetone.protocol.events import SessionClosed, SessionOpened, SessionsAlive
from sidetone.protocol.ids import SessionId, UserId
from sidetone.protocol.refusals import Unavailable
from sidetone.runtime.clock import Clock
from sidetone.telemetry.metrics import gauge

# How many users, or sessions, are worked on at the same time.
_AT_ONCE = 32
_TICK_SECONDS = 0.1
_RETRY_MS = 1_000
_WATCHED = gauge("sidetone_presence_users", "Users that this process looks after.")

log = structlog.get_logger(__name__)


class WatchSessions:
    """Writes what gateways tell into the store, and has a look where something may have changed.

    The store's expiry decides who is gone, so that it does not matter which replica looks, nor
    how many do.
    """

    def __init__(
        self, sessions: Sessions, show: ShowPresence, clock: Clock, timing: Timing
    ) -> None:
        self._sessions = sessions
        self._show = show
        self._clock = clock
        self._timing = timing
        self._watch = Watch(timing)
        self._woken = asyncio.Event()

    async def opened(self, event: SessionOpened) -> None:
        """Count the session from now on."""
        await self._renew((event.session, event.user))
        self._watch.opened(event.session, event.user, self._clock.now_ms())
        self._woken.set()

    async def closed(self, event: SessionClosed) -> None:
        """Count the session no more: after its grace, or at once if it left."""
        now_ms = self._clock.now_ms()
        if not self._watch.closed(event.session, event.user, now_ms, left=event.left):
            return
        try:
            if event.left:
                await self._sessions.end(event.user, event.session)
            else:
                await self._sessions.renew(event.user, event.session, self._timing.grace_ms)
        except Unavailable as unavailable:
            # It expires by itself.
            log.warning("session_end_waits", reason=unavailable.detail)
        self._woken.set()

    async def alive(self, event: SessionsAlive) -> None:
        """Count the sessions for another while."""
        renewed = self._watch.alive(event.sessions, self._clock.now_ms())
        for start in range(0, len(renewed), _AT_ONCE):
            await asyncio.gather(*map(self._renew, renewed[start : start + _AT_ONCE]))
        self._woken.set()

    async def run(self) -> NoReturn:
        """Look at whoever is due, for as long as the process lives."""
        await self._look_at_everybody()
        while True:
            try:
                await self._look_at_due()
            except Exception:
                log.exception("presence_not_watched")
                await asyncio.sleep(_RETRY_MS / 1_000)

    def look(self, user: UserId) -> None:
        """Look at *user* now: something else about them changed."""
        now_ms = self._clock.now_ms()
        self._watch.look(user, now_ms, now_ms)
        self._woken.set()

    async def _look_at_everybody(self) -> None:
        """Look at all who were there lately: somebody may have gone while nobody watched."""
        while True:
            try:
                users = await self._sessions.everybody()
            except Unavailable as unavailable:
                log.warning("presence_waits", reason=unavailable.detail)
                await asyncio.sleep(_RETRY_MS / 1_000)
                continue
            now_ms = self._clock.now_ms()
            for user in users:
                self._watch.look(user, now_ms + self._timing.alive_ms, now_ms)
            return

    async def _look_at_due(self) -> None:
        _WATCHED.set(len(self._watch))
        due = self._watch.due(self._clock.now_ms())
        for start in range(0, len(due), _AT_ONCE):
            await asyncio.gather(*map(self._look, due[start : start + _AT_ONCE]))
        try:
            async with asyncio.timeout(_TICK_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            pass
        self._woken.clear()

    async def _look(self, user: UserId) -> None:
        try:
            there, wish = await self._show(user)
        except Unavailable as unavailable:
            log.warning("presence_waits", reason=unavailable.detail)
            now_ms = self._clock.now_ms()
            self._watch.look(user, now_ms + _RETRY_MS, now_ms)
            return
        self._watch.looked(user, self._clock.now_ms(), there=there, clears_at_ms=wish.clears_at_ms)

    async def _renew(self, one: tuple[SessionId, UserId]) -> None:
        session, user = one
        try:
            await self._sessions.renew(user, session, self._timing.alive_ms)
        except Unavailable as unavailable:
            log.warning("session_waits", reason=unavailable.detail)
