"""The watch against a slow account of the same facts."""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sidetone.presence.domain.watch import Timing, Watch
from sidetone.protocol.ids import SessionId, UserId

TIMING = Timing(alive_ms=150, grace_ms=30, renewed_every_ms=200, margin_ms=0)
USERS = st.integers(1, 3).map(lambda number: UserId(UUID(int=number)))
SESSIONS = st.integers(1, 2)


def session_of(user: UserId, number: int) -> SessionId:
    return SessionId(UUID(int=10 * user.int + number))


class WatchMachine(RuleBasedStateMachine):
    """A store with sessions that expire, replicas that look, and what others are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ms = 0
        self.watch = Watch(TIMING)
        self.until_ms: dict[tuple[UserId, SessionId], int] = {}
        self.shown: dict[UserId, bool] = {}

    @rule(user=USERS, number=SESSIONS)
    def open(self, user: UserId, number: int) -> None:
        session = session_of(user, number)
        self.until_ms[user, session] = self.now_ms + TIMING.alive_ms
        self.watch.opened(session, user, self.now_ms)

    @rule(user=USERS, number=SESSIONS, left=st.booleans())
    def close(self, user: UserId, number: int, left: bool) -> None:
        session = session_of(user, number)
        news = self.watch.closed(session, user, self.now_ms, left=left)
        if news and self.until_ms.get((user, session), 0) > self.now_ms:
            self.until_ms[user, session] = self.now_ms + (0 if left else TIMING.grace_ms)

    @rule(user=USERS, number=SESSIONS)
    def live(self, user: UserId, number: int) -> None:
        session = session_of(user, number)
        for one, who in self.watch.alive([(session, user)], self.now_ms):
            self.until_ms[who, one] = self.now_ms + TIMING.alive_ms

    @rule(wait_ms=st.integers(1, 200))
    def wait(self, wait_ms: int) -> None:
        for _ in range(wait_ms):
            self.now_ms += 1
            self._look()

    def _look(self) -> None:
        for user in self.watch.due(self.now_ms):
            there = self._there(user)
            self.shown[user] = there
            self.watch.looked(user, self.now_ms, there=there, clears_at_ms=None)

    def _there(self, user: UserId) -> bool:
        return any(until > self.now_ms for (who, _), until in self.until_ms.items() if who == user)

    @invariant()
    def what_is_shown_is_true(self) -> None:
        self._look()
        for user in {who for who, _ in self.until_ms}:
            assert self.shown.get(user, False) == self._there(user)

    @invariant()
    def nobody_is_watched_in_vain(self) -> None:
        self._look()
        for user, there in self.shown.items():
            if not there:
                assert user not in self.watch._users or self.watch._users[user].looks_ms


TestWatch = WatchMachine.TestCase


def test_an_old_sign_of_life_does_not_bring_a_session_back() -> None:
    watch, user, session = Watch(TIMING), UserId(UUID(int=1)), SessionId(UUID(int=11))
    watch.opened(session, user, 0)
    watch.closed(session, user, 10, left=True)
    assert watch.alive([(session, user)], 11) == []
    watch.opened(session, user, 12)
    assert watch.alive([(session, user)], 13) == [(session, user)]


def test_the_end_of_one_session_does_not_hide_the_silence_of_another() -> None:
    watch, user = Watch(TIMING), UserId(UUID(int=1))
    first, second = SessionId(UUID(int=11)), SessionId(UUID(int=12))
    watch.opened(first, user, 0)
    watch.opened(second, user, 100)
    assert watch.due(100) == [user]
    watch.looked(user, 100, there=True, clears_at_ms=None)
    watch.closed(second, user, 100, left=False)
    assert watch.due(130) == [user]
    watch.looked(user, 130, there=True, clears_at_ms=None)
    assert watch.due(150) == [user]


def test_who_is_there_is_looked_at_again_and_again() -> None:
    watch, user, session = Watch(TIMING), UserId(UUID(int=1)), SessionId(UUID(int=11))
    looks = 0
    for now_ms in range(0, 1_000, 10):
        watch.alive([(session, user)], now_ms)
        for _ in watch.due(now_ms):
            looks += 1
            watch.looked(user, now_ms, there=True, clears_at_ms=None)
    assert looks == 5


def test_a_text_that_is_to_go_is_looked_at_in_time() -> None:
    watch, user, session = Watch(TIMING), UserId(UUID(int=1)), SessionId(UUID(int=11))
    watch.opened(session, user, 0)
    assert watch.due(0) == [user]
    watch.looked(user, 0, there=True, clears_at_ms=77)
    watch.alive([(session, user)], 70)
    assert watch.due(76) == []
    assert watch.due(77) == [user]
