"""Our own commits: whether it is our turn, and what the commit should hold.

It proposes only what members accept; a package that cannot be taken in is put aside, so that one
bad member never stops the others.
"""

from dataclasses import dataclass
from typing import Final

from sidetone.e2ee import actions
from sidetone.e2ee.actions import Action
from sidetone.e2ee.election import Election, rank_of
from sidetone.e2ee.group import (
    Change,
    Group,
    Own,
    Proposal,
    create,
    require_new_leaves,
    succeed,
)
from sidetone.e2ee.identity import DeviceIdentity, RandomBytes
from sidetone.e2ee.keypackage import Admission, KeyPackage, validate
from sidetone.e2ee.lobby import Lobby
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.roster import changed_roster

ADDS_MAX: Final = 150
ANSWER_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Seat:
    """Where we stand: our newest package, what the room says, and the group if we are in it."""

    own: Own
    lobby: Lobby
    group: Group | None

    @property
    def rank(self) -> int | None:
        """How many are to commit before us; None when we may not."""
        me = self.own.package.sender
        if self.group:
            staying = self.lobby.connected - self.lobby.announced
            return rank_of(me, self.group.roster.keys() & staying)
        return None if self.lobby.view else rank_of(me, self.lobby.connected)

    @property
    def candidates(self) -> list[KeyPackage]:
        """Whose packages a commit should add."""
        return self.lobby.candidates(self.group.roster) if self.group else []

    @property
    def needs_commit(self) -> bool:
        """Whether somebody is to be added or removed, or a group to be founded."""
        return not self.group or bool(self.lobby.announced or self.candidates)


class Committer:
    """Proposes commits at the times of the election; one proposal is under way at most.

    A proposal that the room leaves without an answer is given up, and another made.
    """

    def __init__(self, identity: DeviceIdentity, random: RandomBytes) -> None:
        self.election = Election()
        self.proposal: Proposal | None = None
        self._offered_ms = 0
        self._identity = identity
        self._random = random

    def due_ms(self, seat: Seat) -> int | None:
        """Say when we are to commit next; None when it is not for us to."""
        rank = seat.rank
        if rank is None:
            return None
        if self.proposal:
            return self._offered_ms + ANSWER_MS
        if seat.group is None:
            return self.election.due_ms(rank, 0)
        joins = any(each.sender not in seat.group.roster for each in seat.candidates)
        earliest_ms = 0 if joins else self.election.rekey_allowed_ms(len(seat.group.roster))
        due_ms = self.election.due_ms(rank, earliest_ms)
        aged_ms = self.election.aged_ms(rank)
        return min((each for each in (due_ms, aged_ms) if each is not None), default=None)

    def proceed(self, seat: Seat, admission: Admission) -> list[Action]:
        """Commit if the time has come."""
        now_ms = admission.now_ms
        self.election.note_need(now_ms, needed=seat.rank is not None and seat.needs_commit)
        due_ms = self.due_ms(seat)
        if due_ms is None or due_ms > now_ms:
            return []
        self.proposal = None
        if seat.group is None:
            founding = create(self._identity, seat.own, self._random(16), self._random(32))
            return self._offer(founding, now_ms)
        return self._succeed(seat, seat.group, admission)

    def _succeed(self, seat: Seat, group: Group, admission: Admission) -> list[Action]:
        now_ms = admission.now_ms
        removes = seat.lobby.announced & group.roster.keys()
        aged = self.election.is_aged(now_ms)
        rekeys = bool(removes or aged) and now_ms >= self.election.rekey_allowed_ms(
            len(group.roster)
        )
        change = Change(removes if rekeys else ())
        adds, refused = _admissible(seat, group, change, admission)
        if not rekeys and not adds:
            self.election.defer(now_ms)
            return refused
        try:
            proposal = succeed(
                self._identity,
                group,
                Change(change.removes, adds),
                self._random(32),
                self._random(32) if rekeys else None,
            )
        except Rejected as refusal:
            self.election.defer(now_ms)
            return [*refused, actions.Refused(refusal.code, refusal.detail)]
        return [*refused, *self._offer(proposal, now_ms)]

    def _offer(self, proposal: Proposal, now_ms: int) -> list[Action]:
        self.proposal = proposal
        self._offered_ms = now_ms
        return [actions.SendCommit(proposal.commit.wire())]


def _admissible(
    seat: Seat, group: Group, change: Change, admission: Admission
) -> tuple[list[KeyPackage], list[Action]]:
    adds: list[KeyPackage] = []
    refused: list[Action] = []
    roster = changed_roster(group.roster, change.removes, ())
    for package in seat.candidates[:ADDS_MAX]:
        try:
            validate(package, admission)
            require_new_leaves((package,), group.leaves)
        except Rejected as refusal:
            seat.lobby.drop(package)
            refused.append(actions.Refused(refusal.code, refusal.detail))
            continue
        try:
            # A device that came back waits here until its old self is announced for removal.
            roster = changed_roster(roster, (), (package,))
        except Rejected:
            continue
        adds.append(package)
    return adds, refused
