"""Whole calls, with mail in random order."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.e2ee.tests.room import Room
from libs.e2ee.tests.stage import Drawn, grant, name16, person
from sidetone.e2ee import actions
from sidetone.e2ee.commit import Kind, parse
from sidetone.e2ee.identity import link_device
from sidetone.e2ee.member import Member
from sidetone.e2ee.rejected import Rejected


def call(count: int, seed: int = 0) -> Room:
    room = Room(seed)
    for index in range(count):
        room.join(f"member {index}")
    room.settle()
    return room


def opens(member: Member, frame: bytes, now_ms: int) -> bool:
    try:
        return member.open(frame, now_ms) is not None
    except Rejected:
        return False


@pytest.mark.parametrize("count", [1, 2, 3, 8, 20])
def test_all_who_join_at_once_end_in_one_group(count: int) -> None:
    room = call(count, seed=count)
    assert room.agree()
    for sender in room.members:
        assert set(room.hear(sender).values()) <= {b"opus"}


def test_the_first_join_after_a_quiet_second_is_committed_at_once() -> None:
    room = call(1)
    room.join("newcomer")
    room.move()
    assert room.agree()


def test_the_first_join_after_founding_is_committed_at_once() -> None:
    room = Room()
    room.join("founder")
    room.move()
    room.join("newcomer")
    room.move()
    assert room.agree()


def test_joins_within_300_ms_share_a_commit() -> None:
    room = call(2)
    commits_before = len(room.commits)
    for index in range(6):
        room.join(f"late {index}")
        room.move()
        room.now_ms += 20
    room.settle()
    assert room.agree()
    assert len(room.commits) == commits_before + 2
    assert {commit.kind for commit in room.commits[commits_before:]} == {Kind.ADVANCE}


def test_who_left_opens_nothing_that_is_said_later() -> None:
    room = call(3)
    gone = room.leave(1)
    room.settle(1_000)
    assert room.agree()
    frame = room.members[0].seal_audio(b"secret", room.now_ms)
    assert not opens(gone, frame, room.now_ms)
    assert not opens(gone, frame[:1] + bytes([frame[1] - 1]) + frame[2:], room.now_ms)
    assert room.hear(0) == {2: b"opus"}


def test_who_is_removed_is_told_and_holds_no_keys() -> None:
    room = call(3)
    room.announce(1)
    room.settle(1_000)
    assert actions.Removed() in room.heard[1]
    assert room.members[1].epoch is None
    with pytest.raises(Rejected, match="no_epoch"):
        room.members[1].seal_audio(b"opus", room.now_ms)


def test_who_joins_opens_nothing_that_was_said_before() -> None:
    room = call(2)
    frame = room.members[0].seal_audio(b"secret", room.now_ms)
    newcomer = room.join("newcomer")
    room.settle(0)
    assert room.agree()
    with pytest.raises(Rejected, match="frame_unknown"):
        room.members[newcomer].open(frame, room.now_ms)


def test_a_silent_committer_is_overtaken_by_the_next() -> None:
    room = call(4)
    room.stalled = {0}
    room.join("newcomer")
    room.settle(399)
    assert not room.agree()
    room.settle(1)
    assert room.agree()
    assert room.commits[-1].committer == 1


def test_a_silent_founder_is_overtaken() -> None:
    room = Room()
    room.stalled = {0}
    room.join("silent")
    room.join("second")
    room.settle(400)
    assert room.commits[0].committer == 1
    assert room.agree()


def test_many_leaves_are_followed_by_few_rekeys() -> None:
    room = call(12)
    room.settle(10_000)
    before = len(room.commits)
    for sender in range(4, 12):
        room.leave(sender)
        room.settle(100)
    room.settle()
    assert room.agree()
    rekeys = room.commits[before:]
    assert {commit.kind for commit in rekeys} == {Kind.REKEY}
    assert len(rekeys) <= 3


def test_a_join_does_not_wait_for_a_rekey_that_must() -> None:
    room = call(4)
    room.leave(3)
    room.move()
    room.leave(2)
    newcomer = room.join("newcomer")
    room.settle(300)
    assert room.members[newcomer].epoch is not None
    assert room.commits[-1].kind is Kind.ADVANCE
    room.settle(300)
    assert room.agree()


def test_when_the_last_member_of_the_group_leaves_the_waiting_found_a_new_one() -> None:
    room = call(1)
    room.stalled = {0}
    room.join("waiting 1")
    room.join("waiting 2")
    room.move()
    group = room.commits[0].group
    room.leave(0)
    room.settle()
    assert room.agree()
    assert room.commits[-1].group != group


def test_a_device_that_comes_back_is_let_in_once_its_old_self_is_out() -> None:
    room = call(3)
    device = person("member 2")
    room.leave(2)
    room.join(device)
    room.settle()
    assert room.agree()


def test_two_devices_of_one_user_are_two_members() -> None:
    room = call(1)
    desk = person("twice")
    room.join(desk)
    room.join(link_device(desk, name16("laptop"), 0, Drawn("laptop")))
    room.settle()
    assert room.agree()
    assert not room.members[0].held
    assert room.hear(1) == {0: b"opus", 2: b"opus"}


def test_the_secret_is_replaced_after_ten_quiet_minutes() -> None:
    room = call(2)
    before = len(room.commits)
    room.settle(10 * 60_000)
    assert [commit.kind for commit in room.commits[before:]] == [Kind.REKEY]
    assert room.agree()
    room.settle(1_000)
    assert room.hear(1) == {0: b"opus"}


@pytest.mark.parametrize("count", [1, 2, 5])
def test_leaves_are_refreshed_within_half_an_hour(count: int) -> None:
    room = call(count)
    before = {sender: package.leaf for sender, package in room.roster.items()}
    room.settle(30 * 60_000)
    assert room.agree()
    after = {sender: package.leaf for sender, package in room.roster.items()}
    assert not set(before.values()) & set(after.values())
    assert all(actions.GrantWanted() in room.heard[sender] for sender in room.members)


def test_a_renewed_grant_is_in_everybodys_roster() -> None:
    room = call(3)
    later_ms = room.now_ms + 7_000_000
    renewed = grant(person("member 1"), not_after_ms=later_ms)
    room.do(1, room.members[1].renew(renewed, room.now_ms))
    room.settle(2_000)
    assert room.agree()
    assert room.roster[1].not_after_ms == later_ms
    assert room.hear(1) == {0: b"opus", 2: b"opus"}


def test_a_call_of_three_hours_still_lets_people_in() -> None:
    room = call(1)
    for _ in range(18):
        room.settle(10 * 60_000)
        renewed = grant(person("member 0"), not_after_ms=room.now_ms + 7_200_000)
        if actions.GrantWanted() in room.heard[0]:
            room.heard[0].clear()
            room.do(0, room.members[0].renew(renewed, room.now_ms))
    room.join("latecomer")
    room.settle()
    assert room.agree()


def flipped(wire: bytes, at: int) -> bytes:
    return wire[:at] + bytes([wire[at] ^ 1]) + wire[at + 1 :]


def test_a_commit_that_nobody_can_process_is_reported_and_healed() -> None:
    room = call(4)
    room.tampered = lambda wire: flipped(wire, -48 * 3 - 2 * 3 - 64)
    room.leave(0)
    room.move()
    room.tampered = lambda wire: wire
    room.settle(30_000)
    failed = [
        a for s in room.members for a in room.heard[s] if type(a) is actions.SendCommitFailed
    ]
    assert failed
    assert room.agree()
    assert room.hear(next(iter(room.members))) != {}


def test_a_split_secret_is_refused_by_its_victim_which_heals() -> None:
    room = call(4)
    victim = 3

    def split(wire: bytes) -> bytes:
        at = wire.rindex(parse(wire).wraps[victim])
        return flipped(wire, at)

    room.tampered = split
    room.leave(1)
    room.move()
    room.tampered = lambda wire: wire
    assert any(type(a) is actions.SendCommitFailed for a in room.heard[victim])
    assert any(type(a) is actions.SendResync for a in room.heard[victim])
    room.settle()
    assert room.agree()
    assert set(room.hear(victim).values()) == {b"opus"}


def test_a_resync_by_hand_keeps_everybody_together() -> None:
    room = call(3)
    room.do(0, room.members[0].resync(room.now_ms))
    room.do(0, room.members[0].resync(room.now_ms))
    room.settle(10_000)
    assert room.agree()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 12))
def test_any_order_of_joins_and_leaves_ends_in_one_group(seed: int, steps: int) -> None:
    random = Random(seed)
    room = Room(seed)
    count = 0
    for _ in range(steps):
        if room.members and random.random() < 0.35:
            room.leave(random.choice(list(room.members)))
        else:
            room.join(f"member {count}")
            count += 1
        if random.random() < 0.3:
            room.stalled = {random.choice(list(room.members))} if room.members else set()
        if random.random() < 0.7:
            room.settle(random.choice([0, 50, 300, 1_000]))
    room.stalled = set()
    room.settle(20_000)
    if room.members:
        assert room.agree()
        speaker = min(room.members)
        assert set(room.hear(speaker).values()) <= {b"opus"}
        frame = room.members[speaker].seal_audio(b"secret", room.now_ms)
        assert not any(opens(gone, frame, room.now_ms) for gone in room.left.values())
