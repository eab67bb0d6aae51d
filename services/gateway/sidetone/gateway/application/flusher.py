"""Writes to the sockets what their sessions have to tell, as fast as it can and no faster.

An idle gateway writes at once. While a round of writing goes on, further events gather in the
sessions and go out together in the next one: one system call then carries several events, which is
what a delivery costs most. After a full round it rests for a tick, so that they do gather.
"""

import asyncio
from typing import Final

import structlog

from sidetone.gateway.application.ports import Socket
from sidetone.gateway.domain.session import Session, State
from sidetone.protocol.frames import CloseCode

# So many sockets are written to before others get their turn on the loop.
_SLICE: Final = 256
_TICK_SECONDS: Final = 0.003
# So many events may gather before who brings more has to wait for the round.
_GATHERED_MAX: Final = 64
_log = structlog.get_logger(__name__)


class Flusher:
    """The sessions that have something to write, and the sockets that it is written to."""

    def __init__(self) -> None:
        self.sockets: dict[Session, Socket] = {}
        self._marked: list[Session] = []
        self._woken = asyncio.Event()
        self._rested = asyncio.Event()
        self._gathered = 0
        # Since the beginning, for metrics.
        self.writes = 0

    @property
    def waiting(self) -> int:
        """How many sessions wait to be written to."""
        return len(self._marked)

    def mark(self, sessions: list[Session]) -> None:
        """Write to these soon; each has noted that it is marked."""
        self._gathered += 1
        if sessions:
            self._marked += sessions
            self._woken.set()

    async def room(self) -> None:
        """Wait while too many events have gathered."""
        while self._gathered >= _GATHERED_MAX and self._marked:
            self._rested.clear()
            await self._rested.wait()

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self._gathered = 0
            self._rested.set()
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._round()
            except Exception:
                _log.exception("events_not_written")

    async def _round(self) -> None:
        marked, self._marked = self._marked, []
        for number, session in enumerate(marked, 1):
            session.marked = False
            self.flush(session)
            if not number % _SLICE:
                await asyncio.sleep(0)
        if len(marked) >= _SLICE:
            await asyncio.sleep(_TICK_SECONDS)

    def flush(self, session: Session) -> None:
        """Write now what *session* has to tell, if its socket takes it."""
        socket = self.sockets.get(session)
        if socket is None or session.state is not State.OPEN:
            return
        if not socket.writable:
            if session.too_far_behind:
                socket.close(CloseCode.TOO_SLOW, "events arrive faster than you take; resume")
            return
        frames = session.take()
        if frames is None:
            socket.close(CloseCode.SESSION_LOST, "too much happened; identify anew")
        elif frames:
            socket.write(frames)
            self.writes += 1
