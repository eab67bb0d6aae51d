"""Friendship as a state machine: whatever two users do, their views fit together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidetone.presence.domain.pair import FRIENDS, NOTHING, Pair, befriend, block, part
from sidetone.protocol.refusals import Conflict, NotFound, Refusal

STEPS = {"befriend": befriend, "block": block, "part": part}
STORIES = st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(STEPS))), max_size=30)
# What one side may have, by what the other has.
FITTING = {
    None: {None, "blocked"},
    "friend": {"friend"},
    "incoming": {"outgoing"},
    "outgoing": {"incoming", "blocked"},
    "blocked": {None, "blocked", "outgoing"},
}


def after(story: list[tuple[bool, str]], pair: Pair = NOTHING) -> Pair:
    for mine, name in story:
        try:
            pair = STEPS[name](pair) if mine else STEPS[name](pair.turned()).turned()
        except Refusal:
            continue
    return pair


@given(STORIES)
def test_the_two_views_always_fit_together(story: list[tuple[bool, str]]) -> None:
    pair = after(story)
    assert pair.theirs in FITTING[pair.mine]
    assert pair.mine in FITTING[pair.theirs]


@given(STORIES)
def test_only_who_blocked_can_end_a_block(story: list[tuple[bool, str]]) -> None:
    blocked = block(after(story))
    theirs_alone = [(False, name) for _, name in story]
    assert after(theirs_alone, blocked).mine == "blocked"


@given(STORIES)
def test_what_one_sees_does_not_tell_whether_one_is_blocked(story: list[tuple[bool, str]]) -> None:
    """The blocked one sees what they would see of somebody who never answers."""
    mine_alone = [(True, name) for _, name in story]
    assert after(mine_alone, Pair(theirs="blocked")).mine == after(mine_alone).mine


@given(STORIES)
def test_friendship_takes_both(story: list[tuple[bool, str]]) -> None:
    asked = {mine for mine, name in story if name == "befriend"}
    assert asked == {True, False} or after(story) != FRIENDS


def test_crossing_requests_make_friends() -> None:
    assert befriend(befriend(NOTHING).turned()) == FRIENDS


def test_a_repeated_step_changes_nothing() -> None:
    for pair in (befriend(NOTHING), block(NOTHING)):
        step = befriend if pair.mine == "outgoing" else block
        assert step(pair) == pair
    assert befriend(FRIENDS) == FRIENDS


def test_one_cannot_befriend_whom_one_blocked() -> None:
    with pytest.raises(Conflict, match="user_blocked"):
        befriend(Pair("blocked"))


def test_nothing_cannot_be_ended() -> None:
    with pytest.raises(NotFound, match="relationship_unknown"):
        part(NOTHING)


def test_a_block_ends_friendship_and_unblocking_does_not_bring_it_back() -> None:
    assert part(block(FRIENDS)) == NOTHING
