"""A call as a state machine: it always ends, and what is shown of it makes sense."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sidetone.protocol.ids import CallId, ChannelId, ServerId, UserId
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid, NotFound, Refusal
from sidetone.voice.domain.call import (
    CallState,
    Party,
    Patience,
    accept,
    begin,
    cancel,
    decline,
    enter,
    occupied,
    passed,
)

ADA, BEN, CEM, DAN = (UserId(UUID(int=number)) for number in range(1, 5))
PLACE = (ServerId(UUID(int=9)), ChannelId(UUID(int=10)))
PATIENCE = Patience(ring_ms=100, empty_ms=30, look_every_ms=50)
USERS = st.sampled_from([ADA, BEN, CEM, DAN])
ANSWERS = st.builds(Party, st.sampled_from(["ringing", "quiet"]), st.booleans())


def call_of(**others: Party) -> CallState:
    names = {"ben": BEN, "cem": CEM, "dan": DAN}
    parties = {names[name]: party for name, party in others.items()}
    return begin(CallId(UUID(int=11)), PLACE, ADA, parties, 0, PATIENCE)


class CallMachine(RuleBasedStateMachine):
    """Whatever parties, rooms and time do."""

    call: CallState

    @initialize(others=st.dictionaries(st.sampled_from([BEN, CEM]), ANSWERS, min_size=1))
    def begun(self, others: dict[UserId, Party]) -> None:
        self.now_ms = 0
        self.present: set[UserId] = set()
        self.call = begin(CallId(UUID(int=11)), PLACE, ADA, others, 0, PATIENCE)

    @rule(user=USERS, step=st.sampled_from([accept, decline, cancel, enter]))
    def act(self, user: UserId, step: object) -> None:
        before = self.call
        try:
            self.call = step(self.call, user, self.now_ms)  # type: ignore[operator]
        except Refusal:
            assert self.call == before

    @rule(present=st.sets(USERS))
    def room(self, present: set[UserId]) -> None:
        self.present = present
        self.call = occupied(self.call, present, self.now_ms)

    @rule(wait_ms=st.integers(1, 60))
    def wait(self, wait_ms: int) -> None:
        for _ in range(wait_ms):
            self.now_ms += 1
            seen = occupied(self.call, self.present, self.now_ms)
            self.call = passed(seen, self.now_ms, PATIENCE)

    @invariant()
    def what_is_shown_makes_sense(self) -> None:
        shown = self.call.shown()
        assert not set(shown.ringing) & set(shown.joined)
        assert ADA in shown.joined
        assert (shown.outcome == "open") == (shown.ended_at_ms is None)
        assert (shown.answered_at_ms is not None) == bool(set(shown.joined) - {ADA})
        if shown.outcome != "open":
            assert not shown.ringing
            assert (shown.outcome == "ended") == (shown.answered_at_ms is not None)

    @invariant()
    def it_does_not_ring_forever(self) -> None:
        if self.now_ms >= self.call.rings_until_ms:
            assert not self.call.shown().ringing

    @invariant()
    def it_does_not_outlive_its_last_member(self) -> None:
        over = passed(
            occupied(self.call, set(), self.now_ms), self.now_ms + PATIENCE.ring_ms, PATIENCE
        )
        assert passed(over, self.now_ms + 1_000, PATIENCE).outcome != "open"

    @invariant()
    def an_open_call_is_looked_at_again(self) -> None:
        due_ms = self.call.due_ms(self.now_ms, PATIENCE)
        assert (due_ms is None) == (self.call.outcome != "open")


TestCalls = CallMachine.TestCase


@given(USERS, st.sampled_from([accept, decline, cancel]))
def test_a_call_that_is_over_takes_no_step(user: UserId, step: object) -> None:
    over = cancel(call_of(ben=Party("ringing")), ADA, 1)
    with pytest.raises((Conflict, NotFound)):
        step(over, user, 2)  # type: ignore[operator]
    assert enter(over, user, 2) == occupied(over, {user}, 2) == over


def test_of_two_devices_one_takes_it() -> None:
    taken = accept(call_of(ben=Party("ringing")), BEN, 5)
    assert (taken.shown().ringing, taken.answered_at_ms) == ([], 5)
    with pytest.raises(Conflict, match="call_taken"):
        accept(taken, BEN, 6)
    with pytest.raises(Conflict, match="call_taken"):
        decline(taken, BEN, 6)


def test_when_all_have_declined_it_is_over() -> None:
    call = decline(call_of(ben=Party("ringing"), cem=Party("ringing")), BEN, 1)
    assert call.outcome == "open"
    assert decline(call, CEM, 2).outcome == "declined"


def test_one_who_answers_keeps_it_open_when_others_decline() -> None:
    call = accept(call_of(ben=Party("ringing"), cem=Party("ringing")), BEN, 1)
    assert decline(call, CEM, 2).outcome == "open"


def test_what_nobody_answers_is_missed_in_time() -> None:
    call = call_of(ben=Party("ringing"), cem=Party("quiet"))
    assert call.shown().ringing == [BEN]
    assert passed(call, 99, PATIENCE) == call
    missed = passed(call, 100, PATIENCE)
    assert (missed.outcome, missed.parties[CEM].answer) == ("missed", "missed")


def test_only_the_caller_cancels_and_only_before_an_answer() -> None:
    call = call_of(ben=Party("ringing"))
    with pytest.raises(Forbidden, match="call_of_another"):
        cancel(call, BEN, 1)
    assert cancel(call, ADA, 1).outcome == "cancelled"
    with pytest.raises(Conflict, match="call_answered"):
        cancel(accept(call, BEN, 1), ADA, 2)


def test_who_is_not_told_does_not_find_the_call() -> None:
    call = call_of(ben=Party("ringing", told=False))
    assert (call.told(), call.shown().ringing) == ([ADA], [BEN])
    with pytest.raises(NotFound, match="call_unknown"):
        decline(call, BEN, 1)
    assert BEN in occupied(call, {BEN}, 1).told()


def test_a_short_loss_of_everybody_does_not_end_it() -> None:
    call = occupied(accept(call_of(ben=Party("ringing")), BEN, 0), {ADA, BEN}, 1)
    lost = passed(occupied(call, set(), 10), 39, PATIENCE)
    assert lost.outcome == "open"
    assert occupied(lost, {ADA}, 39).empty_since_ms is None
    assert passed(lost, 40, PATIENCE).outcome == "ended"


def test_a_call_needs_somebody_to_call() -> None:
    with pytest.raises(Invalid, match="nobody_to_call"):
        call_of()
    many = {UserId(UUID(int=number)): Party("ringing") for number in range(100, 200)}
    with pytest.raises(Invalid, match="too_many"):
        begin(CallId(UUID(int=11)), PLACE, ADA, many, 0, PATIENCE)
