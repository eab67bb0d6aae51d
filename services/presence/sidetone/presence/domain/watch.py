"""When to look whether somebody is still there, from what the gateways tell.

Every replica of presence hears the same and keeps its own watch. The truth is in the store that
they share; a watch only says when it is time to look there. Times are in milliseconds of any one
clock.
"""

import heapq
from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import msgspec

from sidetone.protocol.ids import SessionId, UserId

USERS_MAX = 200_000
# Looks at one user that are to come; beyond that the latest stands for those around it.
LOOKS_MAX = 16
# Sessions of one user whose signs of life are told apart; more than a gateway lets in.
SESSIONS_MAX = 64
ENDED_MAX = 20_000


class Timing(msgspec.Struct, frozen=True):
    """How long a session counts without a sign of life, and *grace_ms* after its socket dropped.

    What is shown of a user is renewed every *renewed_every_ms*. *margin_ms* lets the store forget
    a session before somebody looks.
    """

    alive_ms: int = 14_500
    grace_ms: int = 3_000
    renewed_every_ms: int = 20_000
    margin_ms: int = 50


class _Next(msgspec.Struct):
    """When to look at a user: at each of *looks_ms*, and at *silent_ms* if nothing is heard.

    At *renewal_ms* there is a look whether or not something happened. *queued_ms* is when the
    queue says so, which may be too early but never too late. *there* is what the last look found.
    *lives_ms* holds until when each session counts without another sign of life: the end of one
    must not hide that another fell silent before.
    """

    silent_ms: int
    queued_ms: int
    renewal_ms: int
    looks_ms: list[int] = []
    there: bool = False
    lives_ms: dict[SessionId, int] = {}

    def at_ms(self) -> int:
        return min(self.silent_ms, self.renewal_ms, *self.looks_ms[:1])

    def add(self, look_ms: int) -> None:
        if look_ms in self.looks_ms:
            return
        if len(self.looks_ms) < LOOKS_MAX:
            insort(self.looks_ms, look_ms)
        else:
            self.looks_ms[-1] = max(self.looks_ms[-1], look_ms)

    def hear(self, session: SessionId, silent_ms: int) -> None:
        self.lives_ms.pop(session, None)
        self.lives_ms[session] = self.silent_ms = silent_ms
        while len(self.lives_ms) > SESSIONS_MAX:
            del self.lives_ms[next(iter(self.lives_ms))]

    def end(self, session: SessionId, now_ms: int) -> None:
        if self.lives_ms.pop(session, None) is not None:
            self.silent_ms = max(self.lives_ms.values(), default=now_ms)

    def take(self, now_ms: int) -> None:
        self.looks_ms = [look_ms for look_ms in self.looks_ms if look_ms > now_ms]


class Watch:
    """Whom to look at, and when. Beyond ``USERS_MAX`` users the others are not watched."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._users: dict[UserId, _Next] = {}
        self._queue: list[tuple[int, UserId]] = []
        self._ended: OrderedDict[SessionId, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._users)

    def opened(self, session: SessionId, user: UserId, now_ms: int) -> None:
        """Take note that *user* has a session: look at once."""
        self._ended.pop(session, None)
        self.look(user, now_ms, now_ms)
        self._heard(session, user, now_ms)

    def closed(self, session: SessionId, user: UserId, now_ms: int, *, left: bool) -> bool:
        """Take note that a socket is gone: look when its grace is over, at once if it *left*.

        Return whether that is news: a second loss of the same socket gives no second grace.
        """
        if not left and self._ended.get(session, 0) > now_ms:
            return False
        self._ended[session] = now_ms + self._timing.alive_ms
        while len(self._ended) > ENDED_MAX:
            self._ended.popitem(last=False)
        known = self._users.get(user)
        if known is not None:
            known.end(session, now_ms)
        wait_ms = 0 if left else self._timing.grace_ms + self._timing.margin_ms
        self.look(user, now_ms + wait_ms, now_ms)
        return True

    def alive(
        self, sessions: Iterable[tuple[SessionId, UserId]], now_ms: int
    ) -> Sequence[tuple[SessionId, UserId]]:
        """Return those of *sessions* to renew, and look at users who were not there.

        A session whose end was heard of is not alive: that was said before the end.
        """
        renewed = [
            (session, user) for session, user in sessions if self._ended.get(session, 0) <= now_ms
        ]
        for session, user in renewed:
            known = self._users.get(user)
            if known is None or not known.there:
                self.look(user, now_ms, now_ms)
            self._heard(session, user, now_ms)
        return renewed

    def look(self, user: UserId, at_ms: int, now_ms: int) -> None:
        """Look at *user* at *at_ms*."""
        known = self._users.get(user)
        if known is None:
            if len(self._users) >= USERS_MAX:
                return
            silent_ms = self._silent_ms(now_ms)
            renewal_ms = now_ms + self._timing.renewed_every_ms
            known = self._users[user] = _Next(silent_ms, silent_ms + 1, renewal_ms)
        known.add(at_ms)
        self._queue_up(user, known)

    def due(self, now_ms: int) -> list[UserId]:
        """Return whom to look at now; the answer to each comes by ``looked``."""
        due: list[UserId] = []
        while self._queue and self._queue[0][0] <= now_ms:
            queued_ms, user = heapq.heappop(self._queue)
            known = self._users.get(user)
            if known is None or known.queued_ms != queued_ms:
                continue
            if known.at_ms() <= now_ms:
                due.append(user)
                known.take(now_ms)
                known.renewal_ms = now_ms + self._timing.renewed_every_ms
                if known.silent_ms <= now_ms:
                    # If they are there all the same, we did not hear what another replica heard.
                    known.silent_ms = now_ms + self._timing.grace_ms
            known.queued_ms = known.at_ms() + 1
            self._queue_up(user, known)
        return due

    def looked(self, user: UserId, now_ms: int, *, there: bool, clears_at_ms: int | None) -> None:
        """Take what a look found; who is not there is forgotten until they are heard of again."""
        known = self._users.get(user)
        if known is None:
            return
        if not there and not known.looks_ms:
            del self._users[user]
            return
        known.there = there
        if clears_at_ms is not None:
            self.look(user, clears_at_ms, now_ms)

    def next_ms(self) -> int | None:
        """Return when somebody is due, at the earliest."""
        return self._queue[0][0] if self._queue else None

    def _heard(self, session: SessionId, user: UserId, now_ms: int) -> None:
        known = self._users.get(user)
        if known is not None:
            known.hear(session, self._silent_ms(now_ms))

    def _silent_ms(self, now_ms: int) -> int:
        return now_ms + self._timing.alive_ms + self._timing.margin_ms

    def _queue_up(self, user: UserId, known: _Next) -> None:
        at_ms = known.at_ms()
        if at_ms < known.queued_ms:
            known.queued_ms = at_ms
            heapq.heappush(self._queue, (at_ms, user))
