"""One member against a room that may say anything."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.e2ee.tests.room import Room
from libs.e2ee.tests.stage import CHANNEL, GRANT_KEY, NOW_MS, Drawn, grant, own, person
from sidetone.e2ee import actions, keypackage
from sidetone.e2ee.commit import Commit, parse
from sidetone.e2ee.lobby import PACKAGES_MAX, Lobby
from sidetone.e2ee.member import Member
from sidetone.e2ee.primitives import leaf_public
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import MediaKind, frame_key
from sidetone.e2ee.trust import Pin, Shield, Trust

ALICE = person("alice")


def alone(**changes: Any) -> Member:
    arguments: dict[str, Any] = {
        "identity": ALICE,
        "grant": grant(ALICE),
        "trust": Trust(),
        "random": Drawn("alone"),
        "grant_keys": [GRANT_KEY],
    }
    return Member(**arguments | changes)


def call(*names: str, trust: Trust | None = None) -> Room:
    room = Room()
    for name in names:
        room.join(name, trust if name == names[0] else None)
    room.settle()
    return room


def kinds(wanted: tuple[actions.Action, ...]) -> list[str]:
    return [type(action).__name__ for action in wanted]


def refused(wanted: tuple[actions.Action, ...]) -> list[str]:
    return [action.code for action in wanted if isinstance(action, actions.Refused)]


def test_a_grant_for_somebody_else_makes_no_member() -> None:
    with pytest.raises(Rejected, match="grant_identity"):
        alone(grant=grant(person("bob")))
    with pytest.raises(Rejected, match="grant_signature"):
        alone(grant=grant(ALICE, seed=bytes(32)))
    assert alone().channel == CHANNEL


def test_the_first_to_join_founds_the_group_at_once() -> None:
    member = alone()
    assert member.timer() is None
    wanted = member.welcomed(4, (), (4,), NOW_MS)
    assert kinds(wanted) == ["SendKeyPackage", "SendCommit"]
    assert (member.sender, member.epoch, member.code, member.transcript) == (4, None, None, None)
    (send,) = [action for action in wanted if isinstance(action, actions.SendCommit)]
    wanted = member.commit(send.wire, NOW_MS + 5)
    assert kinds(wanted) == ["EpochStarted", "PinsChanged", "RosterChanged"]
    assert member.epoch == 0
    assert wanted[0] == actions.EpochStarted(0, member.code or "")
    assert [each.sender for each in member.participants] == [4]
    assert member.sends_at_ms == NOW_MS + 305


def test_who_waits_for_a_lower_member_founds_after_its_turn() -> None:
    member = alone()
    assert kinds(member.welcomed(2, (), (0, 1, 2), NOW_MS)) == ["SendKeyPackage"]
    assert member.timer() == NOW_MS + 800
    assert member.handle_timer(NOW_MS + 799) == ()
    assert kinds(member.handle_timer(NOW_MS + 800)) == ["SendCommit"]


def test_a_rejected_commit_is_tried_anew_with_another_ephemeral_key() -> None:
    room = call("alice", "bob")
    alice = room.members[0]
    (wanted,) = (alice.key_packages([(2, own(person("carol"), 2).package.wire)], room.now_ms),)
    assert kinds(wanted) == []
    wanted = alice.peer_joined(2, room.now_ms)
    (first,) = [a for a in wanted if isinstance(a, actions.SendCommit)]
    assert alice.commit_rejected(1, room.now_ms) == ()
    assert alice.commit_rejected(2, room.now_ms) == ()
    again_ms = alice.timer()
    assert again_ms == room.now_ms + 300
    (second,) = alice.handle_timer(again_ms)
    assert isinstance(second, actions.SendCommit)
    assert first.wire[104:136] != second.wire[104:136]
    assert alice.epoch == 1


def test_an_unanswered_commit_that_nobody_needs_any_more_is_given_up() -> None:
    room = call("alice", "bob")
    alice, now_ms = room.members[0], room.now_ms
    alice.key_packages([(2, own(person("carol"), 2).package.wire)], now_ms)
    assert kinds(alice.peer_joined(2, now_ms)) == ["SendCommit"]
    assert alice.peer_left(2, now_ms) == ()
    assert alice.timer() == now_ms + 2_000
    assert alice.handle_timer(now_ms + 2_000) == ()
    again_ms = alice.timer()
    assert again_ms is not None
    assert again_ms > now_ms + 2_000


def commit_of(member: Member, now_ms: int) -> Commit:
    """The commit that *member* makes next, whenever that is."""
    wanted = member.handle_timer(member.timer() or now_ms)
    (wire,) = [action.wire for action in wanted if isinstance(action, actions.SendCommit)]
    return parse(wire)


def renewal_of(wanted: tuple[actions.Action, ...]) -> bytes:
    (wire,) = [action.wire for action in wanted if isinstance(action, actions.SendRenewal)]
    return wire


def test_a_package_that_was_replaced_while_a_commit_took_it_in_still_serves() -> None:
    room = call("alice", "bob")
    (alice, bob), now_ms = room.members.values(), room.now_ms
    first = renewal_of(bob.renew(grant(person("bob")), now_ms))
    assert renewal_of(bob.renew(grant(person("bob")), now_ms)) != first
    alice.key_packages([(1, first)], now_ms)
    (send,) = alice.remove([1], now_ms)
    assert isinstance(send, actions.SendCommit)
    commit = parse(send.wire)
    assert (commit.removes, [add.sender for add in commit.adds]) == ((1,), [1])
    assert "EpochStarted" in kinds(bob.commit(commit.for_member(1), now_ms))
    assert bob.epoch == commit.epoch


def test_who_is_removed_while_it_renews_waits_to_be_added() -> None:
    room = call("alice", "bob", "carol")
    alice, bob, _ = room.members.values()
    now_ms = room.now_ms
    renewal = renewal_of(bob.renew(grant(person("bob")), now_ms))
    (send,) = alice.remove([1], now_ms)
    assert isinstance(send, actions.SendCommit)
    alice.commit(send.wire, now_ms)
    assert bob.commit(parse(send.wire).for_member(1), now_ms) == ()
    alice.key_packages([(1, renewal)], now_ms)
    commit = commit_of(alice, now_ms)
    assert "EpochStarted" in kinds(bob.commit(commit.for_member(1), now_ms + 300))


def test_an_unanswered_commit_is_made_again_after_two_seconds() -> None:
    member = alone()
    member.welcomed(0, (), (0,), NOW_MS)
    assert member.timer() == NOW_MS + 2_000
    assert kinds(member.handle_timer(NOW_MS + 2_000)) == ["SendCommit"]


def test_frames_go_from_one_to_all_of_every_kind() -> None:
    room = call("alice", "bob", "carol")
    alice, bob, carol = room.members.values()
    now_ms = room.now_ms
    for frame, payload, low, end in (
        (alice.seal_audio(b"opus", now_ms, loudness=5, end=True), b"opus", 5, True),
        (alice.seal_video(b"vp8", now_ms, layer=2, keyframe=True), b"vp8", 6, False),
        (alice.seal_data(b"\x02", now_ms), b"\x02", 0, False),
    ):
        for receiver in (bob, carol):
            opened = receiver.open(frame, now_ms)
            assert opened
            assert (opened.sender, opened.counter) == (0, 0)
            assert (opened.payload, opened.low, opened.end) == (payload, low, end)
            assert opened.epoch == alice.epoch
    for refuse in (
        lambda: alice.seal_audio(b"opus", now_ms, loudness=8),
        lambda: alice.seal_video(b"vp8", now_ms, layer=4),
        lambda: alice.seal_video(b"vp8", now_ms, layer=-1),
    ):
        with pytest.raises(Rejected, match="header_field"):
            refuse()


def test_a_proof_gets_the_keys_that_frames_were_sealed_with() -> None:
    room = call("alice", "bob")
    alice, bob = room.members.values()
    assert alice.frame_key(1) == bob.frame_key(1)
    assert alice.frame_key(0, MediaKind.AUDIO, 3) == bob.frame_key(0, MediaKind.AUDIO, 3)
    assert alice.frame_key(0) != frame_key(bytes(32))
    with pytest.raises(Rejected, match="frame_unknown"):
        alice.frame_key(9)


def test_a_changed_key_holds_the_microphone_until_it_is_confirmed() -> None:
    bob = person("bob")
    trust = Trust([Pin(bob.user, bytes(32), verified=True)])
    room = call("alice", "bob", trust=trust)
    alice = room.members[0]
    assert actions.IdentityChanged(1, bob.user, bob.uik) in room.heard[0]
    assert alice.held
    assert [each.shield for each in alice.participants] == [Shield.KNOWN, Shield.CHANGED]
    for seal in (alice.seal_audio, alice.seal_video, alice.seal_data):
        with pytest.raises(Rejected, match="identity_changed"):
            seal(b"secret", room.now_ms)
    assert kinds(alice.confirm(bob.user, bob.uik)) == ["PinsChanged", "RosterChanged"]
    assert not alice.held
    assert room.hear(0) == {1: b"opus"}
    assert kinds(alice.verify(bob.user, bob.uik)) == ["PinsChanged", "RosterChanged"]
    assert alice.participants[1].shield is Shield.VERIFIED


def test_a_changed_key_is_told_once_and_not_with_every_epoch() -> None:
    room = call("alice", "bob", trust=Trust([Pin(person("bob").user, bytes(32))]))
    room.join("carol")
    room.settle()
    told = [a for a in room.heard[0] if isinstance(a, actions.IdentityChanged)]
    assert len(told) == 1


def test_the_microphone_is_free_when_the_changed_member_has_left() -> None:
    bob = person("bob")
    room = call("alice", "bob", "carol", trust=Trust([Pin(bob.user, bytes(32))]))
    assert room.members[0].held
    room.leave(1)
    room.settle()
    assert not room.members[0].held
    assert room.hear(0) == {2: b"opus"}


def test_everybody_is_pinned_at_first_sight_and_only_then() -> None:
    room = call("alice", "bob")
    pinned = [a for a in room.heard[0] if isinstance(a, actions.PinsChanged)]
    assert len(pinned) == 2
    room.leave(1)
    room.settle()
    room.join("bob")
    room.settle()
    assert len([a for a in room.heard[0] if isinstance(a, actions.PinsChanged)]) == 2


def test_a_garbled_commit_leads_to_one_resync_in_two_seconds() -> None:
    room = call("alice", "bob")
    bob = room.members[1]
    code = bob.code
    wanted = bob.commit(b"garbage", room.now_ms)
    assert refused(wanted) == ["commit_size"]
    assert kinds(wanted) == ["Refused", "SendResync"]
    assert kinds(bob.commit(b"garbage", room.now_ms)) == ["Refused"]
    assert bob.timer() == room.now_ms + 2_000
    assert "SendResync" in kinds(bob.handle_timer(room.now_ms + 2_000))
    assert bob.code == code


def test_a_replayed_commit_is_refused_and_changes_nothing() -> None:
    room = call("alice", "bob")
    bob, code = room.members[1], room.members[1].code
    for commit in room.commits:
        wanted = bob.commit(commit.for_member(1), room.now_ms)
        assert refused(wanted) == ["commit_epoch"]
        assert kinds(wanted) == ["Refused"]
    assert bob.code == code


def test_key_packages_that_are_wrong_are_refused_one_by_one() -> None:
    room = call("alice", "bob")
    alice = room.members[0]
    carol = own(person("carol"), 7).package.wire
    wanted = alice.key_packages([(8, carol), (7, carol[:-1]), (7, carol)], room.now_ms)
    assert refused(wanted) == ["kp_sender", "kp_size"]
    expired = grant(person("dave"), not_after_ms=NOW_MS - 10**7)
    bad = keypackage.build(person("dave"), expired, 9, leaf_public(bytes(31) + b"d"))
    alice.key_packages([(9, bad.wire)], room.now_ms)
    wanted = alice.peer_joined(9, room.now_ms)
    assert refused(wanted) == ["kp_expired"]
    assert "SendCommit" not in kinds(wanted)
    wanted = alice.peer_joined(7, room.now_ms + 300)
    assert kinds(wanted) == ["SendCommit"], "A bad package is refused once, not each time."


def test_the_room_cannot_fill_the_memory_with_key_packages() -> None:
    lobby = Lobby()
    lobby.packages = dict.fromkeys(n.to_bytes(4, "big") for n in range(PACKAGES_MAX))  # type: ignore[assignment]
    with pytest.raises(Rejected, match="kp_too_many"):
        lobby.learn(3, own(person("carol"), 3).package)


def test_an_index_that_is_used_again_brings_nothing_of_its_last_owner() -> None:
    lobby = Lobby()
    lobby.connected.add(3)
    lobby.learn(3, own(person("carol"), 3).package)
    assert len(lobby.candidates({})) == 1
    lobby.leave(3)
    lobby.connected.add(3)
    assert lobby.candidates({}) == []


def test_an_announced_removal_ends_with_the_members_place() -> None:
    lobby, package = Lobby(), own(person("carol"), 3).package
    lobby.announced = {3, 4, 5}
    lobby.settle({3: package, 4: own(person("dave"), 4).package}, removes=[4])
    assert lobby.announced == {3}


def test_a_grant_for_another_channel_is_not_taken() -> None:
    member = alone()
    assert refused(member.renew(grant(ALICE, b"another channel!"), NOW_MS)) == ["grant_identity"]
    assert refused(member.renew(b"", NOW_MS)) == ["grant_size"]
    assert member.renew(grant(ALICE), NOW_MS) == ()


def test_a_leaf_is_refreshed_with_the_old_grant_where_no_new_one_comes() -> None:
    room = call("alice", "bob")
    room.settle(28 * 60_000)
    for sender in room.members:
        names = [type(action).__name__ for action in room.heard[sender]]
        assert names.index("GrantWanted") < names.index("SendRenewal")


def test_a_new_welcome_begins_a_new_call() -> None:
    room = call("alice", "bob")
    bob = room.members[1]
    frame = room.members[0].seal_audio(b"opus", room.now_ms)
    wanted = bob.welcomed(5, (0,), (0, 5), room.now_ms)
    assert kinds(wanted) == ["RosterChanged", "SendKeyPackage"]
    assert bob.epoch is None
    with pytest.raises(Rejected, match="frame_unknown"):
        bob.open(frame, room.now_ms)


def test_before_a_welcome_nothing_happens() -> None:
    member = alone()
    assert member.group_ended(NOW_MS) == ()
    assert member.resync(NOW_MS) == ()
    assert member.handle_timer(NOW_MS) == ()
    assert refused(member.welcomed(70_000, (), (), NOW_MS)) == ["sender_range"]
    assert refused(member.welcomed(1, (-1,), (), NOW_MS)) == ["sender_range"]
    assert member.sender is None


SENDERS = st.integers(-3, 9) | st.integers(60_000, 80_000)
WIRES = st.binary(max_size=20) | st.sampled_from(
    [own(person(name), sender).package.wire for name in ("alice", "bob") for sender in range(3)]
)
STEPS = st.one_of(
    st.tuples(st.just("key_packages"), st.lists(st.tuples(SENDERS, WIRES), max_size=3)),
    st.tuples(st.just("commit"), st.binary(max_size=300)),
    st.tuples(st.just("commit_rejected"), st.integers(0, 3)),
    st.tuples(st.just("remove"), st.lists(SENDERS, max_size=3)),
    st.tuples(st.just("peer_joined"), SENDERS),
    st.tuples(st.just("peer_left"), SENDERS),
    st.tuples(st.just("group_ended")),
    st.tuples(st.just("resync")),
    st.tuples(st.just("renew"), st.just(grant(ALICE)) | st.binary(max_size=5)),
    st.tuples(st.just("handle_timer")),
    st.tuples(st.just("welcomed"), SENDERS, st.lists(SENDERS, max_size=3), st.lists(SENDERS)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(STEPS, st.integers(0, 3_000), st.booleans()), max_size=30))
def test_a_room_that_says_anything_raises_nothing(steps: list[Any]) -> None:
    member, now_ms = alone(), NOW_MS
    for (name, *arguments), wait_ms, echoes in steps:
        now_ms += wait_ms
        wanted = getattr(member, name)(*arguments, now_ms)
        for action in wanted:
            if isinstance(action, actions.SendCommit) and echoes:
                member.commit(action.wire, now_ms)
        timer_ms = member.timer()
        if timer_ms is not None and timer_ms <= now_ms:
            member.handle_timer(now_ms)
            again_ms = member.timer()
            assert again_ms is None or again_ms > now_ms, "A timer must not be due forever."
