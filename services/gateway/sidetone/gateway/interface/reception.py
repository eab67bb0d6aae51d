"""What a client's frames ask for, and what it is answered."""

from collections import Counter
from typing import Final

import structlog

from sidetone.bus.tasks import Tasks
from sidetone.gateway.application.admission import Admission
from sidetone.gateway.application.hub import Hub
from sidetone.gateway.application.open_session import OpenSession
from sidetone.gateway.application.resume_session import ResumeSession
from sidetone.gateway.domain.connection import Phase
from sidetone.gateway.domain.session import Session
from sidetone.gateway.interface.ticks import Ticks
from sidetone.gateway.interface.websocket import Socket
from sidetone.protocol.frames import (
    ClientFrame,
    CloseCode,
    Heartbeat,
    HeartbeatHeard,
    Identify,
    Ready,
    Renew,
    Resume,
    Resumed,
)
from sidetone.protocol.refusals import Refusal, Unauthenticated
from sidetone.runtime.callers import Caller

_CODES: Final = {
    "unauthenticated": CloseCode.UNAUTHENTICATED,
    "rate_limited": CloseCode.TOO_FAST,
    "conflict": CloseCode.TOO_MANY_SESSIONS,
    "not_found": CloseCode.SESSION_LOST,
}
_log = structlog.get_logger(__name__)


class Reception:
    """Answers frames; what takes time is done beside, one thing at a time for each socket."""

    def __init__(
        self, hub: Hub, admission: Admission, open_session: OpenSession, tasks: Tasks, ticks: Ticks
    ) -> None:
        self._hub = hub
        self._admission = admission
        self._open_session = open_session
        self._resume_session = ResumeSession(hub)
        self._tasks = tasks
        self._ticks = ticks
        self._busy: set[Socket] = set()
        # By the kind of frame and the outcome, since the beginning, for metrics.
        self.answers: Counter[tuple[str, str]] = Counter()

    def answer(self, socket: Socket, frame: ClientFrame) -> None:
        """Do what *frame* asks for."""
        if isinstance(frame, Heartbeat):
            self._hear(socket, frame)
        elif socket in self._busy:
            socket.close(CloseCode.PROTOCOL_VIOLATION, "wait until the last token was looked at")
        else:
            self._busy.add(socket)
            self._tasks.start(self._attend(socket, frame))

    def _hear(self, socket: Socket, heartbeat: Heartbeat) -> None:
        if socket.session is not None and not socket.session.hear(heartbeat.sequence):
            socket.close(CloseCode.PROTOCOL_VIOLATION, "that number was never sent")
        else:
            socket.send(HeartbeatHeard())

    async def _attend(self, socket: Socket, frame: Identify | Resume | Renew) -> None:
        outcome = "failed"
        try:
            caller = await self._admission(frame.token)
            match frame:
                case Identify():
                    await self._identify(socket, caller)
                case Resume():
                    self._resume(socket, caller, frame)
                case Renew():
                    self._renew(socket, caller)
            outcome = "welcome"
        except Refusal as refusal:
            outcome = refusal.kind
            socket.close(_CODES.get(refusal.kind, CloseCode.TRY_AGAIN), refusal.detail)
        except Exception:
            _log.exception("client_not_answered")
            socket.close(CloseCode.TRY_AGAIN, "something went wrong here; try again in a moment")
        finally:
            self._busy.discard(socket)
            self.answers[type(frame).__name__.lower(), outcome] += 1

    async def _identify(self, socket: Socket, caller: Caller) -> None:
        session, ready = await self._open_session(caller)
        if socket.connection.phase is Phase.CLOSED:
            self._hub.remove(session)
            return
        session.open()
        self._welcome(socket, session, caller, ready)

    def _resume(self, socket: Socket, caller: Caller, frame: Resume) -> None:
        if socket.connection.phase is not Phase.CLOSED:
            session = self._resume_session(caller, frame)
            self._welcome(socket, session, caller, Resumed())

    def _renew(self, socket: Socket, caller: Caller) -> None:
        session = socket.session
        if session is None or caller.user != session.user:
            raise Unauthenticated("user_differs", "renew with a token of the same account")
        session.login = caller.login
        socket.connection.renew(self._ticks.at(caller.expires_at_ms))

    def _welcome(
        self, socket: Socket, session: Session, caller: Caller, first: Ready | Resumed
    ) -> None:
        expires = self._ticks.at(caller.expires_at_ms)
        socket.connection.open(expires, self._ticks.now_ms())
        socket.session = session
        socket.send(first)
        self._hub.attach(session, socket)
