"""One room by examples: what each member is told, in which order, and who hears whom."""

from uuid import UUID, uuid4

import msgspec
import pytest

from sidetone.credentials.tickets import Perm, Ticket
from sidetone.e2ee.commit import Commit, Kind
from sidetone.e2ee.keypackage import KeyPackage
from sidetone.protocol import voice_control as told
from sidetone.protocol.ids import ChannelId, Sender, UserId
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.voice_control import MESSAGE_BYTES_MAX, ServerMessage
from sidetone.voice_sfu.domain.actions import Actions, Close, Send
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.domain.room import Room
from sidetone.voice_sfu.domain.senders import REUSE_AFTER_MS
from tests.load.sfu_stage import CHANNEL, TALK, frame
from tests.load.vx1_shapes import after, found, made, package, ticket


class Party:
    """A room, and what each of its members was told."""

    def __init__(self, members_max: int = 200) -> None:
        self.room = Room(CHANNEL, members_max, Rates())
        self.told: dict[int, list[ServerMessage]] = {}
        self.closed: list[str] = []
        self.tickets: dict[int, Ticket] = {}
        self.packages: dict[int, KeyPackage] = {}

    def do(self, actions: Actions) -> None:
        for action in actions:
            match action:
                case Send(to, message):
                    for sender in to:
                        self.told.setdefault(sender, []).append(message)
                case Close(_, code, _):
                    self.closed.append(code)

    def join(self, shown: Ticket | None = None, now_ms: int = 0) -> Sender:
        shown = shown or ticket()
        sender, actions = self.room.join(shown, now_ms)
        self.do(actions)
        self.tickets[sender] = shown
        return sender

    def offer(self, sender: Sender, not_after_ms: int = 1 << 50) -> KeyPackage:
        offered = package(self.tickets[sender], sender, not_after_ms)
        self.packages[sender] = offered
        self.do(self.room.offer(sender, offered.wire))
        return offered

    def commit(self, commit: Commit) -> str | None:
        """Send a commit; return why it was rejected, or None."""
        sender = Sender(commit.committer)
        self.news()
        self.do(self.room.commit(sender, commit.wire()))
        last = self.told[sender][-1]
        return last.code if isinstance(last, told.CommitRejected) else None

    def news(self) -> dict[int, list[ServerMessage]]:
        """Return what was told since the last time."""
        news, self.told = self.told, {}
        return news


def _group_of(party: Party, members: int) -> tuple[list[Sender], Commit]:
    senders = [party.join() for _ in range(members)]
    last = found(party.offer(senders[0]))
    assert party.commit(last) is None
    joining = [party.offer(sender) for sender in senders[1:]]
    if joining:
        last = after(last, senders[0], {0: party.packages[0]}, adds=joining)
        assert party.commit(last) is None
    party.news()
    return senders, last


def test_a_joiner_learns_the_roster_before_those_who_wait_and_those_who_leave() -> None:
    party = Party()
    (ann, ben, cem), last = _group_of(party, 3)
    waiting = party.offer(party.join())
    party.do(party.room.leave(cem, 0))
    party.news()
    late = party.join()
    welcome, packages, remove = party.news()[late]
    assert isinstance(welcome, told.Welcome)
    assert (welcome.group, welcome.epoch, welcome.roster) == (last.group, 1, [ann, ben, cem])
    assert isinstance(packages, told.KeyPackages)
    assert [each.sender for each in packages.packages] == [ann, ben, cem, waiting.sender]
    assert remove == told.Remove([cem])


def test_key_packages_of_a_full_room_fit_into_messages() -> None:
    party = Party()
    _group_of(party, 199)
    late = party.join()
    messages = [each for each in party.news()[late] if isinstance(each, told.KeyPackages)]
    assert [len(each.packages) for each in messages] == [150, 49]
    assert all(len(msgspec.msgpack.encode(each)) <= MESSAGE_BYTES_MAX for each in messages)


def test_a_member_gets_its_own_wrap_and_no_other() -> None:
    party = Party()
    (ann, ben, cem), last = _group_of(party, 3)
    bystander = party.join()
    rekey = after(last, ben, dict.fromkeys((ann, ben, cem), party.packages[0]), kind=Kind.REKEY)
    assert party.commit(rekey) is None
    copies = {to: messages[-1] for to, messages in party.news().items()}
    assert copies == {to: told.Commit(rekey.for_member(to)) for to in (ann, ben, cem, bystander)}
    assert len({len(copies[to].wire) for to in (ann, cem)}) == 1
    assert len(copies[ben].wire) == len(copies[bystander].wire) == len(copies[ann].wire) - 50


def test_of_two_commits_the_first_wins() -> None:
    party = Party()
    (ann, ben), last = _group_of(party, 2)
    late = party.offer(party.join())
    roster = {ann: party.packages[ann], ben: party.packages[ben]}
    assert party.commit(after(last, ben, roster, adds=[late])) is None
    assert party.commit(after(last, ann, roster, adds=[late])) == "commit_lost"


def test_a_commit_builds_on_the_one_before_it() -> None:
    party = Party()
    (ann, ben), last = _group_of(party, 2)
    roster = {ann: party.packages[ann], ben: party.packages[ben]}
    good = after(last, ann, roster, kind=Kind.REKEY)
    for wrong in (
        made(Kind.REKEY, last.group, 2, ann, prev=bytes(32), wraps=[ben]),
        made(Kind.REKEY, last.group, 3, ann, prev=last.transcript, wraps=[ben]),
        made(Kind.REKEY, last.group, 1, ann, prev=last.transcript, wraps=[ben]),
        made(Kind.REKEY, CHANNEL.bytes + bytes(16), 2, ann, prev=last.transcript, wraps=[ben]),
        found(party.packages[ann]),
    ):
        assert party.commit(wrong) == "commit_lost"
    assert party.commit(good) is None


def test_only_members_commit_and_only_for_themselves() -> None:
    party = Party()
    (ann, ben), last = _group_of(party, 2)
    roster = {ann: party.packages[ann], ben: party.packages[ben]}
    stranger = party.join()
    assert party.commit(after(last, stranger, roster, kind=Kind.REKEY)) == "commit_committer"
    forged = after(last, ann, roster, kind=Kind.REKEY)
    party.do(party.room.commit(ben, forged.wire()))
    assert party.told[ben][-1] == told.CommitRejected(2, "commit_committer")


def test_removes_need_an_announcement_and_a_rekey() -> None:
    party = Party()
    (ann, ben, cem), last = _group_of(party, 3)
    roster = {sender: party.packages[sender] for sender in (ann, ben, cem)}
    assert party.commit(after(last, ann, roster, removes=[ben])) == "commit_removes"
    party.news()
    party.do(party.room.leave(ben, 0))
    assert party.news()[ann] == [told.PeerLeft(ben), told.Remove([ben])]
    both = after(last, ann, roster, removes=[ben, cem])
    assert party.commit(both) == "commit_removes"
    advance = made(Kind.ADVANCE, last.group, 2, ann, prev=last.transcript, removes=[ben])
    assert party.commit(advance) == "commit_removes"
    good = after(last, ann, roster, removes=[ben])
    assert party.commit(good) is None
    again = after(good, ann, {ann: roster[ann], cem: roster[cem]}, removes=[ben])
    assert party.commit(again) == "commit_removes"


def test_a_member_does_not_remove_itself() -> None:
    party = Party()
    (ann, ben), last = _group_of(party, 2)
    fresh = party.offer(ann)
    roster = {ann: party.packages[ann], ben: party.packages[ben]}
    assert party.commit(after(last, ann, roster, removes=[ann], adds=[fresh])) == "commit_removes"
    assert party.commit(after(last, ben, roster, removes=[ann], adds=[fresh])) is None


def test_only_waiting_packages_are_added() -> None:
    party = Party()
    (ann, ben), last = _group_of(party, 2)
    roster = {ann: party.packages[ann], ben: party.packages[ben]}
    late = party.join()
    old = party.offer(late)
    party.offer(late)
    assert party.commit(after(last, ann, roster, adds=[old])) == "commit_adds"
    twice = made(
        Kind.ADVANCE, last.group, 2, ann, prev=last.transcript, adds=[roster[ben]], wraps=[ben]
    )
    assert party.commit(twice) == "commit_adds"
    party.do(party.room.leave(late, 0))
    gone = after(last, ann, roster, adds=[party.packages[late]])
    assert party.commit(gone) == "commit_adds"


@pytest.mark.parametrize("wraps", [[], [0], [0, 1, 2], [1, 2, 3]])
def test_a_commit_that_forgets_a_member_is_refused(wraps: list[int]) -> None:
    party = Party()
    (ann, *_), last = _group_of(party, 3)
    wrong = made(Kind.REKEY, last.group, 2, ann, prev=last.transcript, wraps=wraps)
    assert party.commit(wrong) == "commit_wraps"


def test_a_new_group_holds_its_founder_alone() -> None:
    party = Party()
    ann, ben = party.join(), party.join()
    own, other = party.offer(ann), party.offer(ben)
    group = CHANNEL.bytes + uuid4().bytes
    for wrong, code in (
        (made(Kind.CREATE, group, 0, ann, adds=[own, other]), "commit_adds"),
        (made(Kind.CREATE, group, 0, ann, adds=[other]), "commit_adds"),
        (made(Kind.CREATE, group, 0, ann, adds=[own], removes=[ben]), "commit_malformed"),
        (made(Kind.CREATE, group, 0, ann, adds=[own], wraps=[ben]), "commit_malformed"),
        (made(Kind.CREATE, uuid4().bytes * 2, 0, ann, adds=[own]), "commit_malformed"),
        (made(Kind.CREATE, group, 1, ann, adds=[own]), "commit_lost"),
        (made(Kind.REKEY, group, 0, ann, adds=[own]), "commit_lost"),
    ):
        assert party.commit(wrong) == code
    assert party.commit(made(Kind.CREATE, group, 0, ann, adds=[own])) is None


def test_a_renewal_shows_the_new_package_before_it_asks_for_the_removal() -> None:
    party = Party()
    (ann, ben), last = _group_of(party, 2)
    fresh = party.offer(ben)
    news = party.news()
    shown = told.KeyPackages([told.SenderPackage(ben, fresh.wire)])
    assert news[ann] == [shown, told.Remove([ben])]
    assert news[ben] == [told.Remove([ben])]
    roster = {ann: party.packages[ann], ben: fresh}
    assert party.commit(after(last, ann, roster, removes=[ben], adds=[fresh])) is None


def test_a_package_for_another_place_is_refused() -> None:
    party = Party()
    ann, ben = party.join(), party.join()
    mine = party.tickets[ann]
    for wrong, code in (
        (package(mine, ben), "package_foreign"),
        (package(party.tickets[ben], ann), "package_foreign"),
        (package(mine, ann, channel=ChannelId(UUID(int=9))), "package_foreign"),
    ):
        party.do(party.room.offer(ann, wrong.wire))
        assert party.told[ann][-1].code == code
    party.do(party.room.offer(ann, b"short"))
    assert party.told[ann][-1].code == "package_malformed"
    assert not any(isinstance(each, told.KeyPackages) for each in party.told[ben])


def test_two_users_who_cannot_follow_demote_the_author() -> None:
    party = Party()
    (ann, ben, cem), last = _group_of(party, 3)
    roster = {sender: party.packages[sender] for sender in (ann, ben, cem)}
    for reporter in (ben, ben, ann):
        party.do(party.room.commit_failed(reporter, 1))
    party.do(party.room.commit_failed(cem, 0))
    good = after(last, ann, roster, kind=Kind.REKEY)
    assert party.commit(good) is None
    party.do(party.room.commit_failed(ben, 2))
    party.do(party.room.commit_failed(cem, 2))
    assert party.commit(after(good, ann, roster, kind=Kind.REKEY)) == "commit_demoted"
    assert party.commit(after(good, cem, roster, kind=Kind.REKEY)) is None


def test_reports_of_different_commits_do_not_add_up() -> None:
    party = Party()
    (ann, ben, cem), last = _group_of(party, 3)
    roster = {sender: party.packages[sender] for sender in (ann, ben, cem)}
    party.do(party.room.commit_failed(ben, 1))
    good = after(last, ann, roster, kind=Kind.REKEY)
    assert party.commit(good) is None
    party.do(party.room.commit_failed(cem, 2))
    assert party.commit(after(good, ann, roster, kind=Kind.REKEY)) is None


def test_one_user_with_two_devices_demotes_nobody() -> None:
    party = Party()
    user = UserId(uuid4())
    ann, ben, ben_too = party.join(), party.join(ticket(user)), party.join(ticket(user))
    first = found(party.offer(ann))
    party.commit(first)
    packages = [party.offer(ben), party.offer(ben_too)]
    last = after(first, ann, {ann: party.packages[ann]}, adds=packages)
    party.commit(last)
    for reporter in (ben, ben_too):
        party.do(party.room.commit_failed(reporter, 1))
    assert party.commit(after(last, ann, party.packages, kind=Kind.REKEY)) is None


def test_a_group_that_nobody_can_carry_on_ends() -> None:
    party = Party()
    (ann, ben), _ = _group_of(party, 2)
    late = party.join()
    party.offer(late)
    party.do(party.room.leave(ann, 0))
    party.news()
    party.do(party.room.leave(ben, 0))
    assert party.news()[late] == [told.PeerLeft(ben), told.GroupEnded()]
    assert party.commit(found(party.packages[late])) == "commit_adds"
    assert party.commit(found(party.offer(late))) is None


def test_a_group_whose_others_all_resync_after_a_broken_commit_begins_anew() -> None:
    """Its author is demoted and the others cannot build on it, so nobody could commit."""
    party = Party()
    (ann, ben, cem), _ = _group_of(party, 3)
    for reporter in (ben, cem):
        party.do(party.room.commit_failed(reporter, 1))
        party.offer(reporter)
    assert party.news()[ann][-1] == told.GroupEnded()
    assert party.commit(found(party.offer(ann))) == "commit_demoted"
    assert party.commit(found(party.offer(ben))) is None


def test_a_package_that_runs_out_is_announced_for_removal() -> None:
    party = Party()
    ann, ben = party.join(), party.join()
    first = found(party.offer(ann, not_after_ms=5_000))
    party.commit(first)
    party.commit(after(first, ann, {ann: party.packages[ann]}, adds=[party.offer(ben)]))
    party.news()
    party.do(party.room.handle_timer(4_999))
    assert party.news() == {}
    party.do(party.room.handle_timer(5_000))
    assert party.news() == {ann: [told.Remove([ann])], ben: [told.Remove([ann])]}
    party.do(party.room.handle_timer(5_001))
    assert party.news() == {}


def test_an_index_rests_for_ten_minutes() -> None:
    room = Party().room
    first, _ = room.join(ticket(), 0)
    room.leave(first, 1_000)
    others = {room.join(ticket(), 1_000)[0] for _ in range(100)}
    assert first not in others
    assert not room.can_be_forgotten(1_000)
    for other in others:
        room.leave(other, 2_000)
    assert not room.can_be_forgotten(2_000 + REUSE_AFTER_MS - 1)
    assert room.can_be_forgotten(2_000 + REUSE_AFTER_MS)


def test_a_full_room_says_so_and_has_room_again_after_a_leave() -> None:
    party = Party(members_max=2)
    ann, _ = party.join(), party.join()
    with pytest.raises(Unavailable, match="room_full"):
        party.join()
    party.do(party.room.leave(ann, 0))
    party.join()


def test_rights_decide_at_once_who_is_heard() -> None:
    party = Party()
    user = UserId(uuid4())
    ann, ben = party.join(ticket(user, TALK, 5)), party.join()
    room = party.room
    assert room.route(ann, frame(ann)) == (ben,)
    party.do(room.set_rights(user, Perm.CONNECT, 4, 0))
    assert room.route(ann, frame(ann)) == (ben,)
    party.do(room.set_rights(user, Perm.CONNECT, 6, 0))
    assert room.route(ann, frame(ann)) is Drop.SILENCED
    assert room.route(ann, frame(ann, kind=2)) == (ben,)
    party.do(room.set_rights(user, TALK, 5, 0))
    assert room.route(ann, frame(ann)) is Drop.SILENCED
    party.do(room.set_rights(user, TALK, 7, 0))
    assert room.route(ann, frame(ann)) == (ben,)


def test_the_deafened_hear_nothing_and_still_see_who_records() -> None:
    party = Party()
    user = UserId(uuid4())
    ann, ben, cy = party.join(), party.join(), party.join(ticket(user, TALK, 5))
    room = party.room
    party.do(room.set_state(ben, muted=False, deafened=True))
    party.do(room.set_rights(user, TALK | Perm.DEAFENED, 6, 0))
    assert room.route(ann, frame(ann)) == ()
    assert room.route(ann, frame(ann, kind=2)) == (ben, cy)


def test_without_connect_every_device_of_the_user_is_put_out() -> None:
    party = Party()
    user = UserId(uuid4())
    party.join(ticket(user))
    party.join(ticket(user))
    ben = party.join()
    party.news()
    party.do(party.room.set_rights(user, Perm(0), 2, 0))
    assert party.closed == ["rights_lost", "rights_lost"]
    assert party.news()[ben] == [told.PeerLeft(Sender(0)), told.PeerLeft(Sender(1))]
    assert party.room.route(ben, frame(ben)) == ()
