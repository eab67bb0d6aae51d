"""What one client has been told and has still to be told; it outlives its sockets.

OPENING: events are kept until the snapshot is written. OPEN: a socket is there. DETACHED: it is
gone and may come back. CLOSED: nothing follows. Pure: no socket, no clock.
"""

from enum import Enum

from sidetone.gateway.domain.policy import Policy
from sidetone.gateway.domain.replay import Encoded, Replay
from sidetone.protocol.ids import LoginId, SessionId, UserId


class State(Enum):
    """Where a session is in its life."""

    OPENING = "opening"
    OPEN = "open"
    DETACHED = "detached"
    CLOSED = "closed"


class Session:
    """Numbers events from 1 on without gaps, and knows which of them were written."""

    __slots__ = (
        "_policy", "_replay", "detached_at_ms", "id", "login",
        "marked", "sequence", "state", "user", "written",
    )  # fmt: skip

    def __init__(self, session: SessionId, user: UserId, login: LoginId, policy: Policy) -> None:
        self.id = session
        self.user = user
        self.login = login
        self.state = State.OPENING
        self.sequence = 0
        self.written = 0
        self.marked = False
        self.detached_at_ms = 0
        self._policy = policy
        self._replay: Replay | None = None

    def push(self, event: Encoded) -> bool:
        """Take *event* as the next one. True: write to the socket; it is said once."""
        replay = self._replay
        if replay is None:
            policy = self._policy
            replay = Replay(self.sequence, policy.kept_events, policy.kept_bytes)
            self._replay = replay
        replay.add(event)
        self.sequence += 1
        if self.marked or self.state is not State.OPEN:
            return False
        self.marked = True
        return True

    @property
    def too_far_behind(self) -> bool:
        """Whether a quarter of what is kept was not written: what is on its way counts as well.

        The socket should go while its client can still resume.
        """
        policy, replay = self._policy, self._replay
        if replay is None:
            return False
        return (
            self.sequence - self.written > policy.kept_events // 4
            or self.lost
            or replay.bytes_after(self.written) > policy.kept_bytes // 4
        )

    @property
    def lost(self) -> bool:
        """Whether something is gone that was never written: nobody can take this up again."""
        return self._replay is not None and self._replay.first > self.written + 1

    def take(self) -> bytes | None:
        """Return the frames that were not written yet, as written now; None if one is lost."""
        replay, written = self._replay, self.written
        self.written = self.sequence
        if replay is None:
            return b""
        if self.sequence == written + 1:
            return replay.newest()
        if replay.first > written + 1:
            self.written = written
            return None
        return replay.after(written)

    def hear(self, sequence: int) -> bool:
        """Forget what the client has. False: it claims what was never written."""
        if sequence > self.written:
            return False
        if self._replay is not None:
            self._replay.forget(sequence)
            if self._replay.first > self._replay.last:
                self._replay = None
        return True

    def open(self) -> None:
        """Begin: the snapshot is on the socket, and events follow it."""
        self.state = State.OPEN

    def detach(self, now_ms: int) -> None:
        """Keep what follows: the socket is gone."""
        self.state = State.DETACHED
        self.detached_at_ms = now_ms

    def resume(self, sequence: int) -> bool:
        """Go on after *sequence* on a new socket. False: something in between is lost."""
        first = self.sequence + 1 if self._replay is None else self._replay.first
        if not first - 1 <= sequence <= self.written:
            return False
        self.hear(sequence)
        self.written = sequence
        self.state = State.OPEN
        self.marked = False
        return True

    def close(self) -> None:
        """End; nothing is kept."""
        self.state = State.CLOSED
        self._replay = None

    def expired(self, now_ms: int) -> bool:
        """Return whether nobody may come back any more."""
        if self.state is not State.DETACHED:
            return False
        return self.lost or now_ms >= self.detached_at_ms + self._policy.kept_ms
