"""What each speaker is told of the losses of the others, by examples and properties."""

from hypothesis import given
from hypothesis import strategies as st

from sidetone.protocol.ids import Sender
from sidetone.voice_sfu.domain.reception import (
    FALL_AFTER_MS,
    FRAMES_MIN,
    REPORT_LASTS_MS,
    STEPS_PERCENT,
    Losses,
    step_of,
)

ANN, BEN, CEM = Sender(0), Sender(1), Sender(2)
ROOM = (ANN, BEN, CEM)


def told(losses: Losses, now_ms: int) -> dict[Sender, int]:
    """Return the percentage that each is told now."""
    news = losses.news(ROOM, now_ms)
    return {who: percent for percent, members in news.items() for who in members}


def test_nobody_is_told_of_their_own_loss() -> None:
    losses = Losses()
    losses.report(ANN, 80, 20, 0)
    assert told(losses, 0) == {BEN: 20, CEM: 20}


def test_the_worst_listener_is_told_of_the_second_worst() -> None:
    losses = Losses()
    losses.report(ANN, 80, 20, 0)
    losses.report(BEN, 97, 3, 0)
    losses.report(CEM, 99, 1, 0)
    assert told(losses, 0) == {ANN: 3, BEN: 20, CEM: 20}


def test_two_who_lose_the_same_are_told_of_each_other() -> None:
    losses = Losses()
    losses.report(ANN, 92, 8, 0)
    losses.report(BEN, 92, 8, 0)
    assert told(losses, 0) == {ANN: 8, BEN: 8, CEM: 8}


def test_that_nothing_is_lost_is_told_once_it_is_known() -> None:
    losses = Losses()
    assert told(losses, 0) == {}
    losses.report(ANN, 100, 0, 1)
    assert told(losses, 1) == {BEN: 0, CEM: 0}
    losses.report(BEN, 100, 0, 2)
    assert told(losses, 2) == {ANN: 0}


def test_what_did_not_change_is_not_told_again() -> None:
    losses = Losses()
    for now_ms in range(0, 60_000, 5_000):
        losses.report(ANN, 95, 5, now_ms)
        assert told(losses, now_ms) == ({BEN: 5, CEM: 5} if now_ms == 0 else {})


def test_more_loss_is_told_at_once_and_less_after_a_while() -> None:
    losses = Losses()
    losses.report(ANN, 98, 2, 0)
    assert told(losses, 0) == {BEN: 2, CEM: 2}
    losses.report(ANN, 88, 12, 1)
    assert told(losses, 1) == {BEN: 12, CEM: 12}
    losses.report(ANN, 98, 2, 2)
    assert told(losses, FALL_AFTER_MS) == {}
    assert told(losses, FALL_AFTER_MS + 1) == {BEN: 2, CEM: 2}


def test_a_loss_that_comes_and_goes_is_told_once() -> None:
    losses = Losses()
    news = []
    for report in range(100):
        now_ms = report * 5_000
        losses.report(ANN, 100, 5 if report % 2 else 0, now_ms)
        news.append(told(losses, now_ms))
    assert [each for each in news if each] == [{BEN: 0, CEM: 0}, {BEN: 5, CEM: 5}]


def test_a_listener_that_says_nothing_more_is_forgotten() -> None:
    losses = Losses()
    losses.report(ANN, 95, 5, 0)
    told(losses, 0)
    assert told(losses, REPORT_LASTS_MS - 1) == {}
    assert told(losses, REPORT_LASTS_MS) == {}
    assert told(losses, REPORT_LASTS_MS - 1 + FALL_AFTER_MS) == {BEN: 0, CEM: 0}


def test_who_left_counts_no_more_and_starts_anew() -> None:
    losses = Losses()
    losses.report(ANN, 95, 5, 0)
    losses.report(BEN, 98, 2, 0)
    told(losses, 0)
    losses.forget(ANN)
    assert told(losses, 1) == {ANN: 2}
    losses.report(BEN, 98, 2, 5_000)
    assert told(losses, FALL_AFTER_MS) == {BEN: 0, CEM: 2}


def test_a_handful_of_frames_and_impossible_counts_say_nothing() -> None:
    losses = Losses()
    for received, lost in ((0, FRAMES_MIN - 1), (100, -1), (-1, 100), (0, 0), (-(2**63), 2**64)):
        losses.report(ANN, received, lost, 0)
    assert told(losses, 0) == {}
    losses.report(ANN, 2**64, 2**64, 0)
    assert told(losses, 0) == {BEN: 30, CEM: 30}


@given(st.floats(0, 1))
def test_a_step_covers_the_share_rounded_and_is_the_smallest_that_does(share: float) -> None:
    step = step_of(share)
    percent = min(round(100 * share), STEPS_PERCENT[-1])
    assert step in STEPS_PERCENT
    assert step >= percent
    assert not [other for other in STEPS_PERCENT if percent <= other < step]


REPORTS = st.tuples(
    st.sampled_from(ROOM), st.integers(), st.integers(), st.integers(0, REPORT_LASTS_MS + 1)
)


@given(st.lists(REPORTS, max_size=60))
def test_whatever_is_reported_everybody_knows_enough_and_hears_little(
    reports: list[tuple[Sender, int, int, int]],
) -> None:
    losses = Losses()
    now_ms = 0
    latest: dict[Sender, tuple[int, int]] = {}
    known = dict.fromkeys(ROOM, -1)
    fell_at_ms: dict[Sender, int] = {}
    for listener, received, lost, wait_ms in reports:
        now_ms += wait_ms
        losses.report(listener, received, lost, now_ms)
        if received >= 0 and lost >= 0 and received + lost >= FRAMES_MIN:
            latest[listener] = (step_of(lost / (received + lost)), now_ms)
        for who, percent in told(losses, now_ms).items():
            assert percent != known[who]
            if percent < known[who]:
                assert now_ms - fell_at_ms.get(who, -FALL_AFTER_MS) >= FALL_AFTER_MS
                fell_at_ms[who] = now_ms
            known[who] = percent
        for who in ROOM:
            others = [
                percent
                for other, (percent, at_ms) in latest.items()
                if other != who and now_ms - at_ms < REPORT_LASTS_MS
            ]
            assert known[who] >= max(others, default=-1)
    assert set(known.values()) <= {-1, *STEPS_PERCENT}
    now_ms += REPORT_LASTS_MS + FALL_AFTER_MS
    known |= told(losses, now_ms)
    assert set(known.values()) <= {-1, 0}
