from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.gateway.domain.connection import Connection, HangUp, Phase
from sidetone.gateway.domain.policy import Policy
from sidetone.gateway.domain.wheel import SLOT_MS, Wheel
from sidetone.protocol.frames import ClientFrame, CloseCode, Heartbeat, Identify, Renew, Resume
from sidetone.protocol.ids import SessionId

POLICY = Policy()
SESSION = SessionId(UUID(int=1))


def said(frame: ClientFrame) -> bytes:
    return msgspec.json.encode(frame)


def code(answer: object) -> CloseCode | None:
    return answer.code if isinstance(answer, HangUp) else None


def opened(now_ms: int = 0, expires_at_ms: int = 600_000) -> Connection:
    connection = Connection(POLICY, now_ms)
    connection.receive(said(Identify("token")), now_ms)
    connection.open(expires_at_ms, now_ms)
    return connection


def test_who_does_not_say_who_it_is_has_five_seconds() -> None:
    connection = Connection(POLICY, 1_000)
    assert connection.check(5_999) is None
    assert code(connection.check(6_000)) is CloseCode.IDENTIFY_LATE
    assert connection.phase is Phase.CLOSED
    assert connection.check(10_000) is None, "it is told once"


def test_a_heartbeat_keeps_it_open_and_silence_does_not() -> None:
    connection = opened()
    connection.receive(said(Heartbeat(0)), 11_999)
    assert connection.check(23_998) is None
    assert code(connection.check(23_999)) is CloseCode.SILENT


def test_a_token_ends_and_a_newer_one_goes_on() -> None:
    connection = opened(expires_at_ms=1_000)
    connection.renew(2_000)
    connection.renew(1_500)
    assert connection.check(1_999) is None
    assert code(connection.check(2_000)) is CloseCode.TOKEN_EXPIRED


def test_looking_at_the_token_is_waited_for() -> None:
    connection = Connection(POLICY, 0)
    connection.receive(said(Identify("token")), 4_999)
    assert connection.check(16_998) is None
    assert code(connection.check(16_999)) is CloseCode.SILENT


@pytest.mark.parametrize("frame", [Heartbeat(0), Renew("token")])
def test_the_first_frame_says_who_it_is(frame: ClientFrame) -> None:
    connection = Connection(POLICY, 0)
    assert code(connection.receive(said(frame), 0)) is CloseCode.PROTOCOL_VIOLATION


@pytest.mark.parametrize("frame", [Identify("token"), Resume("token", SESSION, 1)])
def test_one_says_who_it_is_once(frame: ClientFrame) -> None:
    assert code(opened().receive(said(frame), 0)) is CloseCode.PROTOCOL_VIOLATION
    connection = Connection(POLICY, 0)
    connection.receive(said(frame), 0)
    assert code(connection.receive(said(frame), 0)) is CloseCode.PROTOCOL_VIOLATION


@pytest.mark.parametrize("number", [-1, 10**10])
def test_a_number_that_cannot_be_is_a_violation(number: int) -> None:
    for frame in (Heartbeat(number), Resume("token", SESSION, number)):
        connection = opened() if isinstance(frame, Heartbeat) else Connection(POLICY, 0)
        assert code(connection.receive(said(frame), 0)) is CloseCode.PROTOCOL_VIOLATION


def test_two_frames_a_second_are_fine_and_a_flood_is_not() -> None:
    connection = opened()
    for step in range(1_000):
        assert code(connection.receive(said(Heartbeat(0)), step * 500)) is None
    answers = [connection.receive(said(Heartbeat(0)), 500_000) for _ in range(200)]
    assert code(answers[100]) is None, "a burst is let through"
    assert CloseCode.TOO_FAST in {code(answer) for answer in answers}


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=200), st.builds(said, st.builds(Heartbeat, st.integers(-5, 5)))
        )
    )
)
def test_whatever_comes_it_is_a_frame_or_a_goodbye(texts: list[bytes]) -> None:
    connection = Connection(POLICY, 0)
    for text in texts:
        answer = connection.receive(text, 0)
        assert isinstance(answer, HangUp | Identify | Resume | Renew | Heartbeat)
        if isinstance(answer, HangUp):
            assert connection.phase is Phase.CLOSED
            return


def test_a_deeply_nested_text_is_a_violation() -> None:
    answer = Connection(POLICY, 0).receive(b"[" * 60_000, 0)
    assert code(answer) is CloseCode.PROTOCOL_VIOLATION


@given(
    st.lists(st.integers(0, 20_000), max_size=30),
    st.lists(st.integers(0, 25_000), min_size=1, max_size=30),
)
def test_a_wheel_gives_back_everything_once_and_not_early(
    dues: list[int], turns: list[int]
) -> None:
    wheel: Wheel[int] = Wheel(0)
    for item, due_ms in enumerate(dues):
        wheel.put(item, due_ms)
    found: dict[int, int] = {}
    now_ms = 0
    for now_ms in [*sorted(turns), 30_000]:
        for item in wheel.turn(now_ms):
            assert item not in found
            assert now_ms >= dues[item]
            found[item] = now_ms
        late = [due for item, due in enumerate(dues) if item not in found]
        assert all(due + 2 * SLOT_MS > now_ms for due in late)
    assert len(found) == len(dues)
