"""How one is seen."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.presence.domain.status import (
    GAME_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    Wish,
    checked_wish,
    own,
    seen,
)
from sidetone.protocol.ids import UserId
from sidetone.protocol.refusals import Invalid, Refusal

ADA = UserId(UUID(int=1))
STATUSES = st.sampled_from(["online", "idle", "dnd", "invisible"])
WISHES = st.builds(Wish, STATUSES, st.text(), st.text(), st.none() | st.integers(0, 100))


@given(WISHES, st.booleans(), st.none() | st.integers(0, 10))
def test_who_is_invisible_looks_like_somebody_who_is_not_there(
    wish: Wish, there: bool, last_seen_ms: int | None
) -> None:
    hidden = Wish("invisible", wish.text, wish.game)
    assert seen(ADA, hidden, last_seen_ms, there=there) == seen(
        ADA, wish, last_seen_ms, there=False
    )


@given(WISHES)
def test_while_one_is_there_no_time_is_told(wish: Wish) -> None:
    presence = seen(ADA, wish, 5, there=True)
    assert (presence.last_seen_ms is None) == (presence.status != "offline")


@given(WISHES, st.integers(0, 200))
def test_text_and_game_go_in_time_and_the_status_stays(wish: Wish, now_ms: int) -> None:
    left = wish.at(now_ms)
    assert left.status == wish.status
    over = wish.clears_at_ms is not None and wish.clears_at_ms <= now_ms
    assert left == (Wish(wish.status) if over else wish)


def test_oneself_knows_that_one_is_invisible() -> None:
    assert own(ADA, Wish("invisible")).status == "invisible"


@given(WISHES)
def test_any_text_is_taken_or_refused(wish: Wish) -> None:
    try:
        checked = checked_wish(wish, 50)
    except Refusal:
        return
    assert len(checked.text) <= TEXT_LENGTH_MAX
    assert len(checked.game) <= GAME_LENGTH_MAX
    assert checked_wish(checked, 50) == checked


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish(text="x" * 129), "status_text_too_long"),
        (Wish(game="x" * 65), "game_too_long"),
        (Wish(text="a\u202eb"), "status_text_unprintable"),
        (Wish(game="a\x07"), "game_unprintable"),
        (Wish(clears_at_ms=50), "clears_in_past"),
    ],
)
def test_what_cannot_be_shown_is_refused(wish: Wish, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        checked_wish(wish, 50)


def test_lines_are_trimmed_and_families_stay_together() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert checked_wish(Wish(text=f"  with \n the {family} "), 0).text == f"with the {family}"
