"""A client comes back after a drop: it gets what it missed, once and in order."""

from sidetone.gateway.application.hub import Hub
from sidetone.gateway.domain.session import Session, State
from sidetone.protocol.frames import CloseCode
from sidetone.protocol.frames import Resume as ResumeFrame
from sidetone.protocol.refusals import NotFound
from sidetone.runtime.callers import Caller


class ResumeSession:
    """Takes sessions up again."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def __call__(self, caller: Caller, frame: ResumeFrame) -> Session:
        """Return the session, ready to write what follows the last number that arrived.

        A socket that it still has is closed: the client knows better that it is gone. Raises
        ``NotFound`` when the session is another's, is over, or has lost what is asked for.
        """
        session = self._hub.sessions.get(frame.session)
        if session is None or session.user != caller.user or session.state is State.OPENING:
            raise _lost()
        socket = self._hub.socket_of(session)
        if not session.resume(frame.sequence):
            self._hub.remove(session)
        if socket is not None:
            socket.close(CloseCode.SESSION_LOST, "this session was resumed on another connection")
        if session.state is State.CLOSED:
            raise _lost()
        session.login = caller.login
        return session


def _lost() -> NotFound:
    return NotFound("session_lost", "the session cannot be resumed; identify anew")
