"""A room that lives through anything: what must hold whatever happens, in whatever order."""

import random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sidetone.credentials.tickets import Perm, Ticket
from sidetone.e2ee import commit as commits
from sidetone.e2ee.commit import Commit, Kind
from sidetone.e2ee.keypackage import KeyPackage
from sidetone.protocol import voice_control as told
from sidetone.protocol.ids import Sender
from sidetone.protocol.refusals import Unavailable
from sidetone.protocol.voice_control import ServerMessage
from sidetone.voice_sfu.domain.actions import Actions, Close, Send
from sidetone.voice_sfu.domain.limits import Rates
from sidetone.voice_sfu.domain.meter import Drop
from sidetone.voice_sfu.domain.room import Room
from sidetone.voice_sfu.domain.senders import REUSE_AFTER_MS
from tests.load.sfu_stage import CHANNEL, TALK, frame
from tests.load.vx1_shapes import FAR_MS, after, found, package, ticket

MEMBERS_MAX = 6
PICKS = st.integers(0, MEMBERS_MAX - 1)
somebody = precondition(lambda self: bool(self.inside))


class RoomMachine(RuleBasedStateMachine):
    """Keeps its own simple account of the room from what the room says, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Room(CHANNEL, MEMBERS_MAX, Rates())
        self.now_ms = 1_000
        self.inside: dict[Sender, Ticket] = {}
        self.perms: dict[Sender, Perm] = {}
        self.muted: dict[Sender, bool] = {}
        self.deafened: dict[Sender, bool] = {}
        self.left_at_ms: dict[Sender, int] = {}
        self.packages: dict[Sender, KeyPackage] = {}
        self.roster: dict[Sender, KeyPackage] = {}
        self.announced: set[Sender] = set()
        self.last: Commit | None = None
        self.seen: dict[Sender, set[bytes]] = {}

    # --- what happens ---

    @initialize()
    def begin(self) -> None:
        self.join()
        self.join()
        self.commit(bytes(8))

    @rule()
    def join(self) -> None:
        shown = ticket()
        try:
            sender, actions = self.room.join(shown, self.now_ms)
        except Unavailable:
            assert len(self.inside) == MEMBERS_MAX
            return
        assert sender not in self.inside
        assert sender not in self.roster
        assert self.now_ms - self.left_at_ms.get(sender, -REUSE_AFTER_MS) >= REUSE_AFTER_MS
        self.inside[sender], self.perms[sender] = shown, TALK
        self.muted[sender] = self.deafened[sender] = False
        self.seen[sender] = set()
        self._see(actions)
        self._offer(sender, FAR_MS)

    @somebody
    @rule(pick=PICKS)
    def leave(self, pick: int) -> None:
        sender = self._pick(pick)
        self._gone(sender)
        self._see(self.room.leave(sender, self.now_ms))

    @somebody
    @rule(pick=PICKS, permissions=st.sampled_from([Perm.CONNECT, TALK, Perm(0)]))
    def change_rights(self, pick: int, permissions: Perm) -> None:
        sender = self._pick(pick)
        user = self.inside[sender].user
        self.perms[sender] = permissions
        if Perm.CONNECT not in permissions:
            self._gone(sender)
        self._see(self.room.set_rights(user, permissions, 1, self.now_ms))

    @somebody
    @rule(pick=PICKS, muted=st.booleans(), deafened=st.booleans())
    def change_state(self, pick: int, *, muted: bool, deafened: bool) -> None:
        sender = self._pick(pick)
        self.muted[sender], self.deafened[sender] = muted, deafened
        self._see(self.room.set_state(sender, muted=muted, deafened=deafened))

    @somebody
    @rule(pick=PICKS, lifetime_ms=st.sampled_from([30_000, FAR_MS]))
    def offer(self, pick: int, lifetime_ms: int) -> None:
        self._offer(self._pick(pick), lifetime_ms)

    @somebody
    @rule(seed=st.binary(min_size=8, max_size=8))
    def commit(self, seed: bytes) -> None:
        """Commit something: often good, sometimes with a lie in it."""
        choice = random.Random(seed)
        able = sorted(set(self.inside) & set(self.roster) - self.announced)
        liar = choice.random() < 0.1 or not able
        sender = choice.choice(sorted(self.inside) if liar else able)
        if sender not in self.packages:
            self._offer(sender, FAR_MS)
        if self.last is None or choice.random() < 0.1:
            commit = found(self.packages[sender])
        else:
            removes = {each for each in self.announced if choice.random() < 0.8}
            if choice.random() < 0.1:
                removes.add(choice.choice(sorted(self.roster)))
            waiting = [
                each
                for other, each in self.packages.items()
                if self.roster.get(other) != each
                and (other not in self.roster or other in removes or choice.random() < 0.1)
            ]
            kind = choice.choice([None, None, None, Kind.REKEY, Kind.ADVANCE])
            commit = after(
                self.last, sender, self.roster, removes=removes, adds=waiting, kind=kind
            )
        self._see(self.room.commit(sender, commit.wire()))

    @somebody
    @rule(pick=PICKS, ago=st.integers(0, 1))
    def report(self, pick: int, ago: int) -> None:
        epoch = self.last.epoch if self.last else 0
        self._see(self.room.commit_failed(self._pick(pick), epoch - ago))

    @somebody
    @rule(pick=PICKS, received=st.integers(), lost=st.integers())
    def report_losses(self, pick: int, received: int, lost: int) -> None:
        stats = told.Stats(received, lost, jitter_ms=1.0)
        self.room.reported(self._pick(pick), stats, self.now_ms)

    @somebody
    @rule(pick=PICKS, garbage=st.binary(max_size=400))
    def send_garbage(self, pick: int, garbage: bytes) -> None:
        sender = self._pick(pick)
        self._see(self.room.commit(sender, garbage))
        self._see(self.room.offer(sender, garbage))
        assert isinstance(self.room.route(sender, garbage), Drop)

    @rule(seconds=st.sampled_from([1, 40, 700]))
    def wait(self, seconds: int) -> None:
        self.now_ms += seconds * 1000
        self._see(self.room.handle_timer(self.now_ms))

    # --- what must hold ---

    @invariant()
    def those_who_may_are_heard_by_all_who_listen_and_nobody_else(self) -> None:
        for sender in self.inside:
            speaks = not self.muted[sender] and Perm.SPEAK in self.perms[sender]
            listeners = {
                other for other in self.inside if other != sender and not self.deafened[other]
            }
            route = self.room.route(sender, frame(sender))
            assert (route is Drop.SILENCED) if not speaks else (set(route) == listeners)
            assert self.room.route(sender, frame(sender ^ 1)) is Drop.SENDER

    @invariant()
    def the_room_counts_its_members(self) -> None:
        assert len(self.room.members()) == len(self.inside)

    # --- inside ---

    def _pick(self, pick: int) -> Sender:
        return sorted(self.inside)[pick % len(self.inside)]

    def _offer(self, sender: Sender, lifetime_ms: int) -> None:
        offered = package(self.inside[sender], sender, self.now_ms + lifetime_ms)
        self.packages[sender] = offered
        self._see(self.room.offer(sender, offered.wire))

    def _gone(self, sender: Sender) -> None:
        if self.inside.pop(sender, None) is not None:
            self.packages.pop(sender, None)
            self.left_at_ms[sender] = self.now_ms
        if not self.inside:
            self._group_over()

    def _group_over(self) -> None:
        self.last, self.roster, self.packages = None, {}, {}
        self.announced.clear()

    def _see(self, actions: Actions) -> None:
        taken: set[bytes] = set()
        for action in actions:
            if isinstance(action, Close):
                assert action.sender not in self.inside
                continue
            if isinstance(action, Send):
                self._hear(action, taken)
        assert len(taken) <= 1

    def _hear(self, action: Send, taken: set[bytes]) -> None:
        assert action.to
        assert set(action.to) <= set(self.inside)
        match action.message:
            case told.Commit(wire):
                self._follow(action.to, commits.parse(wire), taken)
            case told.Remove(senders):
                assert set(senders) <= set(self.roster)
                self.announced.update(senders)
            case told.GroupEnded():
                self._group_over()
            case told.KeyPackages(packages):
                for to in action.to:
                    self.seen[to].update(each.package for each in packages)
            case message:
                assert isinstance(message, ServerMessage)

    def _follow(self, to: tuple[Sender, ...], commit: Commit, taken: set[bytes]) -> None:
        (receiver,) = to
        assert set(commit.wraps) <= {receiver}
        if commit.transcript not in taken:
            taken.add(commit.transcript)
            self._advance(commit)
        added = {self.packages[Sender(index)].wire for index, _ in commit.adds}
        own = self.packages.get(receiver)
        assert added <= self.seen[receiver] | ({own.wire} if own else set())

    def _advance(self, commit: Commit) -> None:
        assert commit.epoch == (0 if self.last is None else self.last.epoch + 1)
        assert (self.last is None) == (commit.kind is Kind.CREATE)
        assert set(commit.removes) <= self.announced
        for index in commit.removes:
            del self.roster[Sender(index)]
        for index, package_hash in commit.adds:
            assert index not in self.roster
            assert self.packages[Sender(index)].hash == package_hash
            self.roster[Sender(index)] = self.packages[Sender(index)]
        self.announced = {each for each in self.announced if each not in commit.removes}
        self.last = commit


RoomMachine.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
test_a_room_lives_through_anything = RoomMachine.TestCase
