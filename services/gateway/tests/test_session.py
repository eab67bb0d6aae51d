"""The client's view of a session, whatever happens to its sockets: every event once, in order."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sidetone.gateway.domain.policy import Policy
from sidetone.gateway.domain.replay import Encoded, Replay
from sidetone.gateway.domain.session import Session, State
from sidetone.protocol.ids import LoginId, SessionId, UserId

KEPT = 8
POLICY = Policy(kept_events=KEPT, kept_bytes=10_000, kept_ms=1_000)


def event(name: int) -> Encoded:
    return Encoded(b"<", b":%d>" % name)


def read(frames: bytes) -> list[tuple[int, int]]:
    """Return the numbers and the names of events, as a client would."""
    return [(int(a), int(b)) for a, b in re.findall(rb"< *(\d+):(\d+)>", frames)]


def new_session() -> Session:
    return Session(SessionId(UUID(int=1)), UserId(UUID(int=2)), LoginId(UUID(int=3)), POLICY)


class Drops(RuleBasedStateMachine):
    """A server that tells, a link that drops at any moment, a client that comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.session = new_session()
        self.session.open()
        self.told = 0
        self.got: list[tuple[int, int]] = []
        self.on_the_way: list[tuple[int, int]] = []
        self.lost = False

    def is_up(self) -> bool:
        return not self.lost and self.session.state is State.OPEN

    @precondition(lambda self: not self.lost)
    @rule(count=st.integers(1, 5))
    def tell(self, count: int) -> None:
        for _ in range(count):
            self.told += 1
            self.session.push(event(self.told))

    @precondition(is_up)
    @rule()
    def write(self) -> None:
        self.session.marked = False
        frames = self.session.take()
        if frames is None:
            self.lost = True
        else:
            self.on_the_way += read(frames)

    @precondition(is_up)
    @rule(count=st.integers(1, 10))
    def arrive(self, count: int) -> None:
        self.got += self.on_the_way[:count]
        del self.on_the_way[:count]

    @precondition(is_up)
    @rule()
    def heartbeat(self) -> None:
        assert self.session.hear(len(self.got))

    @precondition(is_up)
    @rule()
    def drop(self) -> None:
        self.on_the_way.clear()
        self.session.detach(now_ms=0)

    @precondition(lambda self: not self.lost and self.session.state is State.DETACHED)
    @rule()
    def come_back(self) -> None:
        missed = self.told - len(self.got)
        resumed = self.session.resume(len(self.got))
        assert resumed == (missed <= KEPT)
        self.lost = not resumed

    @precondition(lambda self: not self.lost and self.session.state is State.DETACHED)
    @rule(beyond=st.integers(1, 3))
    def claim_what_never_arrived(self, beyond: int) -> None:
        assert not self.session.resume(self.session.written + beyond)

    @precondition(lambda self: self.lost)
    @rule()
    def begin_anew(self) -> None:
        self.session = new_session()
        self.session.open()
        self.told, self.lost = 0, False
        self.got.clear()
        self.on_the_way.clear()

    @invariant()
    def everything_arrives_once_and_in_order(self) -> None:
        assert self.got == [(number, number) for number in range(1, len(self.got) + 1)]


TestDrops = Drops.TestCase


@given(st.lists(st.integers(1, 400)), st.integers(1, 10), st.integers(1, 1_000))
def test_a_ring_keeps_the_latest_within_its_bounds(
    sizes: list[int], count_max: int, bytes_max: int
) -> None:
    ring = Replay(0, count_max, bytes_max)
    kept: list[Encoded] = []
    for size in sizes:
        encoded = Encoded(b"x" * size, b"")
        ring.add(encoded)
        kept.append(encoded)
        while len(kept) > count_max or (sum(e.size for e in kept) > bytes_max and len(kept) > 1):
            kept.pop(0)
        assert ring.last - ring.first + 1 == len(kept)
    frames = [one.numbered(ring.first + at) for at, one in enumerate(kept)]
    assert ring.after(ring.first - 1) == b"".join(frames)


def test_frames_of_one_event_differ_in_their_number_only() -> None:
    encoded = Encoded(b'{"sequence":', b',"event":{"100%": 1}}')
    assert encoded.numbered(7) == b'{"sequence":         7,"event":{"100%": 1}}'
    assert len(encoded.numbered(7)) == len(encoded.numbered(10**10 - 1)) == encoded.size


def test_a_socket_is_asked_for_once_until_it_was_written_to() -> None:
    session = new_session()
    assert not session.push(event(1)), "there is no socket yet"
    session.open()
    assert session.push(event(2))
    assert not session.push(event(3))
    session.marked = False
    assert read(session.take() or b"") == [(1, 1), (2, 2), (3, 3)]
    assert session.push(event(4))


def test_nothing_is_kept_of_what_the_client_has() -> None:
    session = new_session()
    session.open()
    session.push(event(1))
    session.take()
    assert session._replay is not None
    assert session.hear(1)
    assert session._replay is None
    assert session.hear(0), "an old number is harmless"
    assert not session.hear(2), "a number from the future is not"


@pytest.mark.parametrize("size", [1, 3_000])
def test_a_socket_goes_while_what_it_missed_can_still_be_resumed(size: int) -> None:
    session = new_session()
    session.open()
    told = 0
    while not session.too_far_behind:
        told += 1
        session.push(Encoded(b"<", b":%d>" % told + b" " * size))
    assert told <= KEPT // 2
    session.detach(0)
    assert session.resume(0)
    assert len(read(session.take() or b"")) == told


def test_nobody_comes_back_after_too_long_or_too_much() -> None:
    session = new_session()
    session.open()
    session.detach(now_ms=500)
    assert not session.expired(1_499)
    assert session.expired(1_500)
    for name in range(KEPT + 1):
        session.push(event(name))
    assert session.lost
    assert session.expired(501)
    assert not session.resume(0)


def test_a_closed_session_hears_nothing() -> None:
    session = new_session()
    session.open()
    session.push(event(1))
    session.close()
    assert session._replay is None
    assert not session.expired(10**9)
