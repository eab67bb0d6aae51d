"""The cryptographic group of a room, as its delivery service sees it (VX1, section 2.4).

It keeps commits in order and to the announced removes, and checks nothing that needs a key: the
members check everything again. It never holds a key that opens a frame.
"""

from collections.abc import Container, Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from sidetone.e2ee.commit import Commit, Kind
from sidetone.e2ee.keypackage import KeyPackage
from sidetone.protocol.ids import Sender
from sidetone.protocol.refusals import Conflict, Forbidden, Invalid

Waiting: TypeAlias = Mapping[Sender, KeyPackage]


class Group:
    """One group from its first commit on: compare-and-set on (group, epoch), first valid wins."""

    def __init__(self, commit: Commit, founder: KeyPackage) -> None:
        self.id = commit.group
        self.epoch = commit.epoch
        self.author = Sender(commit.committer)
        self.roster: dict[Sender, KeyPackage] = {self.author: founder}
        self.leaving: set[Sender] = set()
        self._transcript = commit.transcript

    @classmethod
    def found(cls, commit: Commit, sender: Sender, channel: bytes, waiting: Waiting) -> "Group":
        """Return the group that *sender* creates and that holds only *sender*.

        Raises ``Refusal`` with the code that the sender is told.
        """
        if commit.kind is not Kind.CREATE or commit.epoch != 0:
            raise Conflict("commit_lost", "the group has ended; send a new key package")
        if commit.committer != sender:
            raise _not_yours()
        if commit.channel != channel or commit.removes or commit.wraps:
            raise Invalid("commit_malformed", "this does not found a group of this channel")
        own = waiting.get(sender)
        if own is None or commit.adds != ((sender, own.hash),):
            raise _unknown_adds()
        return cls(commit, own)

    def follow(self, commit: Commit, sender: Sender, waiting: Waiting) -> None:
        """Step to the next epoch. Raises ``Refusal`` and changes nothing if a rule is broken."""
        if (
            commit.kind is Kind.CREATE
            or (commit.group, commit.epoch) != (self.id, self.epoch + 1)
            or commit.prev != self._transcript
        ):
            raise Conflict("commit_lost", "another commit was first; build on it")
        if commit.committer != sender or sender not in self.roster:
            raise _not_yours()
        removes = {Sender(remove) for remove in commit.removes}
        if not removes <= self.leaving - {sender} or (removes and commit.kind is Kind.ADVANCE):
            raise Forbidden("commit_removes", "only a rekey removes, and only whom we announced")
        added = self._added(commit, removes, waiting)
        staying = {key: value for key, value in self.roster.items() if key not in removes}
        _require_wraps(commit, added.keys(), staying.keys() | added.keys())
        self.roster = staying | added
        self.leaving -= removes
        self.epoch = commit.epoch
        self.author = sender
        self._transcript = commit.transcript

    def announce(self, senders: Iterable[Sender]) -> list[Sender]:
        """Allow the removal of those of *senders* who are in the roster; return who is new."""
        announced = sorted((set(senders) & set(self.roster)) - self.leaving)
        self.leaving.update(announced)
        return announced

    def expired(self, now_ms: int) -> list[Sender]:
        """Return whose key package is past its time and not yet announced as leaving."""
        return [
            sender
            for sender, package in self.roster.items()
            if package.not_after_ms <= now_ms and sender not in self.leaving
        ]

    def can_go_on(self, connected: Container[Sender], demoted: Container[Sender]) -> bool:
        """Tell whether anybody is left whose commit could carry the group on."""
        return any(
            sender in connected and sender not in self.leaving and sender not in demoted
            for sender in self.roster
        )

    def _added(
        self, commit: Commit, removes: set[Sender], waiting: Waiting
    ) -> dict[Sender, KeyPackage]:
        added: dict[Sender, KeyPackage] = {}
        for index, package_hash in commit.adds:
            sender = Sender(index)
            package = waiting.get(sender)
            if package is None or package.hash != package_hash:
                raise _unknown_adds()
            if sender in self.roster and sender not in removes:
                raise Conflict("commit_adds", "an added sender is in the roster already")
            added[sender] = package
        return added


def _require_wraps(commit: Commit, added: AbstractSet[int], roster: AbstractSet[int]) -> None:
    """Refuse a commit that leaves somebody without the new secret, or sends it to others."""
    wanted = added if commit.kind is Kind.ADVANCE else roster - {commit.committer}
    if commit.wraps.keys() != wanted:
        raise Invalid("commit_wraps", "a commit has one wrap for each member who needs one")


def _not_yours() -> Forbidden:
    return Forbidden("commit_committer", "only a member of the group commits, for itself")


def _unknown_adds() -> Conflict:
    return Conflict("commit_adds", "an added key package is not waiting here any more")
