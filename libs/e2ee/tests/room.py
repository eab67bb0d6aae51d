"""A delivery service for tests: compare-and-set, announced removes, and mail in random order.

Mail between a member and the room keeps its order; whose mail moves next is random. Time stands
still while mail moves, and jumps from timer to timer.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from libs.e2ee.tests.stage import GRANT_KEY, NOW_MS, Drawn, grant, person
from sidetone.e2ee import actions, keypackage
from sidetone.e2ee.actions import Action
from sidetone.e2ee.commit import Commit, Kind, parse
from sidetone.e2ee.identity import DeviceIdentity
from sidetone.e2ee.keypackage import KeyPackage
from sidetone.e2ee.member import Member
from sidetone.e2ee.trust import Trust


class Room:
    def __init__(self, seed: int = 0) -> None:
        self.now_ms = NOW_MS
        self.members: dict[int, Member] = {}
        self.left: dict[int, Member] = {}
        self.heard: defaultdict[int, list[Action]] = defaultdict(list)
        self.commits: list[Commit] = []
        self.roster: dict[int, KeyPackage] = {}
        self.head: Commit | None = None
        self.stalled: set[int] = set()
        self.tampered: Callable[[bytes], bytes] = lambda wire: wire
        self._waiting: dict[int, KeyPackage] = {}
        self._announced: set[int] = set()
        self._up: defaultdict[int, deque[Action]] = defaultdict(deque)
        self._down: defaultdict[int, deque[tuple[str, tuple[Any, ...]]]] = defaultdict(deque)
        self._random = Random(seed)
        self._next_sender = 0

    # --- what a test does ---

    def join(self, who: str | DeviceIdentity, trust: Trust | None = None) -> int:
        """Connect a device; its mail has not moved yet."""
        identity = person(who) if isinstance(who, str) else who
        sender = self._next_sender
        self._next_sender += 1
        member = Member(
            identity,
            grant(identity, not_after_ms=self.now_ms + 7_200_000),
            trust or Trust(),
            Drawn(f"{identity.device!r} {sender}"),
            [GRANT_KEY],
        )
        self._tell(self.members, "peer_joined", sender)
        self.members[sender] = member
        self._tell([sender], "welcomed", sender, tuple(self.roster), tuple(self.members))
        for held in (self.roster, self._waiting):
            pairs = [(each, package.wire) for each, package in held.items()]
            self._tell([sender], "key_packages", pairs)
        self._tell([sender], "remove", sorted(self._announced))
        return sender

    def leave(self, sender: int) -> Member:
        """Cut a connection, mail on its way included."""
        member = self.left[sender] = self.members.pop(sender)
        self._up.pop(sender, None)
        self._down.pop(sender, None)
        self._waiting.pop(sender, None)
        self._tell(self.members, "peer_left", sender)
        self._announce(sender)
        return member

    def announce(self, sender: int) -> None:
        """Announce a removal that nobody asked for."""
        self._announce(sender)

    def do(self, sender: int, wanted: Iterable[Action]) -> None:
        """Send what a member wants after a call that the test made itself."""
        for action in wanted:
            self.heard[sender].append(action)
            self._up[sender].append(action)

    def settle(self, span_ms: int = 5_000) -> None:
        """Move all mail and let *span_ms* pass."""
        end_ms = self.now_ms + span_ms
        while True:
            self.move()
            timers = {s: t for s, m in self.members.items() if (t := m.timer()) is not None}
            due_ms = min(timers.values(), default=end_ms + 1)
            if due_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            for sender, timer_ms in timers.items():
                if timer_ms <= self.now_ms:
                    self.do(sender, self.members[sender].handle_timer(self.now_ms))
        self.now_ms = end_ms

    def move(self) -> None:
        """Move all mail, in random order, at this very moment."""
        while busy := [
            (box, sender)
            for box in (self._up, self._down)
            for sender, mail in box.items()
            if mail and sender in self.members
        ]:
            box, sender = self._random.choice(busy)
            if box is self._up:
                self._receive(sender, self._up[sender].popleft())
            else:
                name, arguments = self._down[sender].popleft()
                wanted = getattr(self.members[sender], name)(*arguments, self.now_ms)
                self.do(sender, wanted)

    # --- what a test sees ---

    def codes(self) -> set[str | None]:
        return {member.code for member in self.members.values()}

    def agree(self) -> bool:
        """Whether everybody connected, and nobody else, is in one and the same group state."""
        rosters = {tuple(p.sender for p in m.participants) for m in self.members.values()}
        return len(self.codes()) == 1 and rosters == {tuple(sorted(self.members))}

    def hear(self, sender: int, opus: bytes = b"opus") -> dict[int, bytes | None]:
        """Let *sender* speak now; what everybody else understands."""
        frame = self.members[sender].seal_audio(opus, self.now_ms)
        understood = {}
        for other, member in self.members.items():
            if other != sender:
                opened = member.open(frame, self.now_ms)
                understood[other] = opened.payload if opened else None
        return understood

    # --- the service ---

    def _tell(self, senders: Iterable[int], name: str, *arguments: Any) -> None:
        for sender in senders:
            self._down[sender].append((name, arguments))

    def _others(self, sender: int) -> list[int]:
        return [other for other in self.members if other != sender]

    def _announce(self, sender: int) -> None:
        if sender in self.roster and sender not in self._announced:
            self._announced.add(sender)
            self._tell(self.members, "remove", [sender])
        if self.head and not (self.roster.keys() & self.members.keys()) - self._announced:
            self.roster.clear()
            self._waiting.clear()
            self._announced.clear()
            self.head = None
            self._tell(self.members, "group_ended")

    def _receive(self, sender: int, action: Action) -> None:
        match action:
            case (
                actions.SendKeyPackage(wire) | actions.SendRenewal(wire) | actions.SendResync(wire)
            ):
                self._waiting[sender] = keypackage.parse(wire)
                self._tell(self._others(sender), "key_packages", [(sender, wire)])
                self._announce(sender)
            case actions.SendCommit(wire):
                self._commit(sender, self.tampered(wire))
            case _:
                pass

    def _commit(self, sender: int, wire: bytes) -> None:
        if sender in self.stalled:
            return
        commit = parse(wire)
        if not self._is_next(commit, sender):
            self._tell([sender], "commit_rejected", commit.epoch)
            return
        for removed in commit.removes:
            del self.roster[removed]
        for add in commit.adds:
            self.roster[add.sender] = self._waiting.pop(add.sender)
        self._announced -= set(commit.removes)
        self.head = commit
        self.commits.append(commit)
        for each in self.members:
            self._tell([each], "commit", commit.for_member(each))

    def _is_next(self, commit: Commit, sender: int) -> bool:
        added = all(
            add.sender in self._waiting and self._waiting[add.sender].hash == add.package_hash
            for add in commit.adds
        )
        if self.head is None:
            return commit.kind is Kind.CREATE and added
        expected = (self.head.group, self.head.epoch + 1, self.head.transcript)
        found = (commit.group, commit.epoch, commit.prev)
        allowed = set(commit.removes) <= self._announced and sender in self.roster
        return found == expected and added and allowed
