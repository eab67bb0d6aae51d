"""Every way in which a commit is refused; a refused commit leaves the state as it was."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.e2ee.tests.stage import (
    CHANNEL,
    NOW_MS,
    Drawn,
    Trio,
    admission,
    by_hash,
    grant,
    own,
    owned,
    person,
)
from sidetone.e2ee import group as groups
from sidetone.e2ee import keypackage
from sidetone.e2ee.commit import Commit, CommitBody, Kind, parse, transcript_of
from sidetone.e2ee.group import Change, Group, accept, create, join, succeed
from sidetone.e2ee.keypackage import Admission
from sidetone.e2ee.primitives import label
from sidetone.e2ee.rejected import Rejected

T = Trio()
ADVANCE = T.advance(T.alice, "carol")
THREE = ADVANCE.group
REKEY = T.rekey(THREE, Change([1]))
SIGN = label("vx1 sig commit")


def signed(commit: Commit, name: str = "alice", **changes: Any) -> Commit:
    """The commit as a malicious committer would sign it, with *changes* in the body."""
    body = {field: getattr(commit, field) for field in CommitBody.__slots__} | changes
    packed = CommitBody(**body).pack()
    signature = T.people[name].sign(SIGN, packed + commit.confirm)
    return replace(
        commit,
        **changes,
        packed=packed,
        transcript=transcript_of(packed),
        signature=signature,
    )


def refusal(
    group: Group,
    commit: Commit,
    packages: Any = None,
    admitted: Admission | None = None,
) -> str:
    packages = T.packages if packages is None else packages
    before = repr(group), group.secrets.init
    with pytest.raises(Rejected) as refused:
        accept(group, commit, packages, {}, admitted or admission())
    assert (repr(group), group.secrets.init) == before
    return refused.value.code


def entrance(commit: Commit, roster: Any = None, **arguments: Any) -> str:
    roster = T.alice.roster if roster is None else roster
    admitted = arguments.get("admitted", admission())
    keys = arguments.get("owned", owned(T.owns["carol"]))
    with pytest.raises(Rejected) as refused:
        join(roster, commit, arguments.get("packages", T.packages), keys, admitted)
    return refused.value.code


def test_members_and_joiners_reach_the_same_state() -> None:
    bob = T.accepted(T.bob, ADVANCE)
    carol = T.joined("carol", T.alice, ADVANCE)
    assert bob.secrets == carol.secrets == THREE.secrets
    assert bob.roster == carol.roster == THREE.roster
    carol = T.accepted(carol, REKEY)
    assert carol.secrets == REKEY.group.secrets
    assert carol.roster.keys() == {0, 2}


def test_anybody_in_the_roster_may_commit() -> None:
    proposal = succeed(
        T.people["bob"], T.bob, Change(adds=[T.owns["carol"].package]), T.random(32)
    )
    assert T.accepted(T.alice, proposal).secrets == proposal.group.secrets


def test_a_refresh_removes_and_adds_the_same_sender_in_one_rekey() -> None:
    fresh = own(T.people["bob"], 1, T.random(32))
    proposal = T.rekey(T.alice, Change([1], [fresh.package]))
    bob = accept(T.bob, proposal.commit, by_hash(fresh.package), owned(fresh), admission())
    assert bob.own == fresh
    assert bob.secrets == proposal.group.secrets


def test_a_removed_member_can_follow_no_later_commit() -> None:
    bob = T.accepted(T.bob, ADVANCE)
    assert refusal(bob, REKEY.commit) == "commit_without_us"
    later = T.advance(REKEY.group, "dave")
    assert refusal(bob, later.commit) == "commit_epoch"
    # Even what an advance would make of the keys that it holds is not the group's.
    assert groups.schedule.advanced_secret(
        bob.secrets.init, later.commit.transcript
    ) != groups.schedule.advanced_secret(REKEY.group.secrets.init, later.commit.transcript)


def test_commits_of_another_time_or_history_are_refused() -> None:
    bob = T.accepted(T.bob, ADVANCE)
    assert refusal(bob, ADVANCE.commit) == "commit_epoch"
    assert refusal(T.bob, REKEY.commit) == "commit_epoch"
    fork = T.advance(T.alice, "dave")
    after_fork = T.rekey(fork.group, Change())
    assert refusal(bob, after_fork.commit) == "commit_prev"
    assert refusal(T.bob, signed(ADVANCE.commit, group=CHANNEL + bytes(16))) == "commit_group"
    assert refusal(T.bob, signed(ADVANCE.commit, kind=Kind.CREATE)) == "commit_kind"


def test_commits_by_outsiders_and_the_removed_are_refused() -> None:
    assert refusal(T.bob, signed(ADVANCE.commit, "carol", committer=2)) == "commit_committer"
    assert refusal(T.bob, signed(REKEY.commit, epoch=2, removes=(0,), prev=T.bob.transcript)) == (
        "commit_committer"
    )
    assert refusal(T.bob, signed(ADVANCE.commit, "dave")) == "commit_signature"
    assert refusal(T.bob, replace(ADVANCE.commit, signature=bytes(64))) == "commit_signature"


def test_an_advance_that_removes_is_refused() -> None:
    commit = signed(ADVANCE.commit, removes=(1,))
    assert refusal(T.bob, commit) == "commit_advance"


def test_a_hidden_add_is_refused() -> None:
    hidden = signed(ADVANCE.commit, adds=())
    assert refusal(T.bob, hidden) == "commit_roster"
    assert refusal(T.bob, signed(ADVANCE.commit, roster_hash=bytes(32))) == "commit_roster"


def test_a_withheld_or_swapped_key_package_is_a_refusal() -> None:
    assert refusal(T.bob, ADVANCE.commit, {}) == "commit_package"
    swapped = {T.owns["carol"].package.hash: T.owns["dave"].package}
    assert refusal(T.bob, ADVANCE.commit, swapped) == "commit_package"


def test_a_member_without_a_grant_is_refused() -> None:
    forged = keypackage.build(
        T.people["carol"],
        grant(T.people["carol"], seed=bytes(32)),
        2,
        T.owns["carol"].package.leaf,
    )
    proposal = T.rekey(T.alice, Change(adds=[forged]))
    assert refusal(T.bob, proposal.commit, by_hash(forged)) == "kp_grant"


def test_an_expired_package_is_refused() -> None:
    late = admission(NOW_MS + 10**8)
    assert refusal(T.bob, ADVANCE.commit, admitted=late) == "kp_expired"


def test_a_sender_a_device_or_a_leaf_cannot_be_in_twice() -> None:
    again = own(T.people["bob"], 9, T.random(32)).package
    same_sender = own(T.people["dave"], 1).package
    for package in (again, same_sender):
        with pytest.raises(Rejected, match="commit_duplicate"):
            T.rekey(T.alice, Change(adds=[package]))
    copied = own(T.people["dave"], 9, T.owns["bob"].leaf_secret).package
    with pytest.raises(Rejected, match="commit_duplicate"):
        T.rekey(T.alice, Change(adds=[copied]))


def test_members_refuse_a_duplicate_that_a_malicious_committer_adds() -> None:
    again = own(T.people["bob"], 9, T.random(32)).package
    commit = signed(ADVANCE.commit, adds=((9, again.hash),))
    assert refusal(T.bob, commit, by_hash(again)) == "commit_duplicate"


def test_a_leaf_that_was_in_the_call_before_is_refused() -> None:
    bob = T.accepted(T.bob, ADVANCE)
    without_carol = T.rekey(THREE, Change([2]))
    bob = T.accepted(bob, without_carol)
    with pytest.raises(Rejected, match="commit_leaf"):
        T.advance(without_carol.group, "carol")
    unaware = replace(without_carol.group, leaves=frozenset())
    commit = T.advance(unaware, "carol").commit
    assert refusal(bob, commit) == "commit_leaf"


def test_a_remove_of_nobody_is_refused() -> None:
    commit = signed(REKEY.commit, epoch=2, prev=T.bob.transcript, removes=(7,))
    assert refusal(T.bob, commit) == "commit_removes"


def test_a_swapped_wrap_is_refused() -> None:
    bob = T.accepted(T.bob, ADVANCE)
    rekey = T.rekey(THREE, Change())
    wraps = rekey.commit.wraps
    assert refusal(bob, replace(rekey.commit, wraps={1: wraps[2], 2: wraps[1]})) == "commit_wrap"
    assert refusal(bob, replace(rekey.commit, wraps={})) == "commit_wrap"
    zero = signed(rekey.commit, eph=bytes(32))
    assert refusal(bob, zero) == "low_order"


def test_a_split_secret_is_refused() -> None:
    bob = T.accepted(T.bob, ADVANCE)
    rekey, eph = T.rekey(THREE, Change()), T.random(32)
    one = succeed(T.people["alice"], THREE, Change(), eph, b"1" * 32)
    two = succeed(T.people["alice"], THREE, Change(), eph, b"2" * 32)
    assert one.commit.packed == two.commit.packed
    split = replace(one.commit, wraps=two.commit.wraps)
    assert refusal(bob, split) == "commit_confirm"
    assert rekey.commit.packed != one.commit.packed


def test_a_joiner_refuses_what_does_not_prove_itself() -> None:
    commit = ADVANCE.commit
    assert entrance(commit, {}) == "commit_committer"
    assert entrance(commit, {0: T.alice.roster[0]}) == "commit_roster"
    extra = dict(T.alice.roster) | {3: T.owns["dave"].package}
    assert entrance(commit, extra) == "commit_roster"
    assert entrance(commit, packages={}) == "commit_package"
    assert entrance(replace(commit, wraps={})) == "commit_wrap"
    assert entrance(replace(commit, signature=bytes(64))) == "commit_signature"
    assert entrance(signed(commit, "bob")) == "commit_signature"
    assert entrance(signed(commit, kind=Kind.CREATE)) == "commit_kind"
    assert entrance(commit, admitted=admission(channel=b"another channel!")) == "commit_group"
    assert entrance(commit, admitted=admission(NOW_MS + 10**8)) == "kp_expired"
    assert entrance(commit, owned=owned(T.owns["dave"])) == "commit_without_us"
    stale = own(T.people["carol"], 2, b"s" * 32)
    assert entrance(commit, owned=owned(stale)) == "commit_without_us"
    wrong = replace(T.owns["carol"], leaf_secret=b"w" * 32)
    assert entrance(commit, owned=owned(wrong)) == "commit_wrap"


def test_a_member_of_an_old_call_cannot_follow_the_new_one() -> None:
    new = create(T.people["alice"], own(T.people["alice"], 0, b"n" * 32), b"g" * 16, b"r" * 32)
    second = succeed(
        T.people["alice"], new.group, Change(adds=[T.owns["carol"].package]), T.random(32)
    )
    assert refusal(T.founded, second.commit) == "commit_group"
    assert refusal(T.founded, new.commit) == "commit_group"


def test_epochs_do_not_wrap_around() -> None:
    last = replace(T.alice, epoch=2**32 - 1)
    with pytest.raises(Rejected, match="epoch_exhausted"):
        T.rekey(last, Change())


def test_remembered_leaves_are_bounded() -> None:
    draw = Drawn("many")
    many = frozenset(draw(32) for _ in range(groups.LEAVES_REMEMBERED_MAX + 1))
    following = T.rekey(replace(T.alice, leaves=many), Change()).group
    assert following.leaves == {p.leaf for p in T.alice.roster.values()}


@settings(max_examples=200)
@given(st.integers(0, len(ADVANCE.commit.for_member(2)) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_by_members_and_joiners(position: int, mask: int) -> None:
    wire = bytearray(ADVANCE.commit.for_member(2))
    wire[position] ^= mask
    try:
        commit = parse(bytes(wire))
    except Rejected:
        return
    assert entrance(commit)
    if commit.packed + commit.confirm + commit.signature != (
        ADVANCE.commit.packed + ADVANCE.commit.confirm + ADVANCE.commit.signature
    ):
        assert refusal(T.bob, commit)


def test_new_people_do_not_look_like_old_ones() -> None:
    assert person("alice") == T.people["alice"]
    assert person("alice", "laptop").dk != T.people["alice"].dk
