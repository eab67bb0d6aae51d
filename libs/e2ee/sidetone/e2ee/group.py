"""The group's state at one epoch, and every way to the next one.

States are values: accepting a commit gives a new one, refusing it leaves the old one as it was.
Section 2.4 of VX1; nothing here knows of time beyond the expiry of key packages, nor of who should
commit (`election`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hmac import compare_digest
from typing import Final

from sidetone.e2ee import schedule
from sidetone.e2ee.commit import (
    EPOCH_MAX,
    Add,
    Commit,
    CommitBody,
    Kind,
    transcript_of,
)
from sidetone.e2ee.identity import DeviceIdentity
from sidetone.e2ee.keypackage import Admission, KeyPackage
from sidetone.e2ee.primitives import (
    ZERO_KEY,
    agree,
    derive,
    label,
    leaf_public,
    open_once,
    seal_once,
    signature_holds,
)
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.roster import (
    Packages,
    Roster,
    added_packages,
    changed_roster,
    roster_hash,
    validate_all,
)

LEAVES_REMEMBERED_MAX: Final = 16_384

_SIG_COMMIT: Final = label("vx1 sig commit")
_WRAP: Final = label("vx1 wrap")


@dataclass(frozen=True, slots=True)
class Own:
    """Our own key package, and the secret half of its leaf."""

    package: KeyPackage
    leaf_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Group:
    """What one member holds of a group at one epoch.

    *leaves* are all leaf keys seen in this call, so that none comes twice.
    """

    id: bytes
    epoch: int
    transcript: bytes
    roster: Roster
    own: Own
    leaves: frozenset[bytes] = field(repr=False)
    secrets: schedule.EpochSecrets = field(repr=False)

    def without_chains(self) -> "Group":
        """Leave the frame keys to those who ratchet them; the rest of the state is as it was."""
        return replace(self, secrets=replace(self.secrets, chains={}))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A commit that we made, and the state that it leads to once the room has taken it."""

    commit: Commit
    group: Group


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit is to do to the roster."""

    removes: Collection[int] = ()
    adds: Sequence[KeyPackage] = ()


def create(identity: DeviceIdentity, own: Own, random16: bytes, random32: bytes) -> Proposal:
    """Found a group that holds only its founder; the others follow by advance."""
    package = own.package
    roster = {package.sender: package}
    body = CommitBody(
        kind=Kind.CREATE,
        group=package.channel + random16,
        epoch=0,
        committer=package.sender,
        prev=ZERO_KEY,
        roster_hash=roster_hash(roster),
        eph=ZERO_KEY,
        removes=(),
        adds=(Add(package.sender, package.hash),),
    )
    secret = schedule.fresh_secret(None, random32)
    transcript = transcript_of(body.pack())
    entered = _enter(body, transcript, roster, own, secret, frozenset())
    return _propose(identity, body, {}, entered)


def succeed(
    identity: DeviceIdentity,
    group: Group,
    change: Change,
    eph_secret: bytes,
    random32: bytes | None = None,
) -> Proposal:
    """Make the commit that follows *group*: a rekey with *random32*, an advance without.

    *eph_secret* must be freshly drawn for every call: the same one with the same body and another
    secret would repeat the nonce of a wrap. Raises ``Rejected`` where members would refuse.
    """
    if group.epoch == EPOCH_MAX:
        raise Rejected("epoch_exhausted", "The group has used up its epochs; begin a new call.")
    kind = Kind.ADVANCE if random32 is None else Kind.REKEY
    me = group.own.package.sender
    roster = changed_roster(group.roster, change.removes, change.adds)
    require_new_leaves(change.adds, group.leaves)
    recipients = (
        tuple(package.sender for package in change.adds)
        if kind is Kind.ADVANCE
        else tuple(sender for sender in roster if sender != me)
    )
    body = CommitBody(
        kind=kind,
        group=group.id,
        epoch=group.epoch + 1,
        committer=me,
        prev=group.transcript,
        roster_hash=roster_hash(roster),
        eph=leaf_public(eph_secret) if recipients else ZERO_KEY,
        removes=tuple(sorted(change.removes)),
        adds=tuple(sorted(Add(package.sender, package.hash) for package in change.adds)),
    )
    transcript = transcript_of(body.pack())
    secret = (
        schedule.advanced_secret(group.secrets.init, transcript)
        if random32 is None
        else schedule.fresh_secret(group.secrets.init, random32)
    )
    wraps = {
        sender: _wrap(eph_secret, (body.eph, transcript), roster[sender], secret)
        for sender in sorted(recipients)
    }
    entered = _enter(body, transcript, roster, group.own, secret, group.leaves)
    return _propose(identity, body, wraps, entered)


def accept(
    group: Group,
    commit: Commit,
    packages: Packages,
    owned: Mapping[bytes, Own],
    admission: Admission,
) -> Group:
    """Follow another member's commit into the next epoch.

    *packages* are what the room passed on, by hash; *owned* are our own ones that may be in the
    new roster. Raises ``Rejected`` with a `commit_...` or `kp_...` code.
    """
    _require_successor(group, commit)
    _require_signature(commit, group.roster[commit.committer])
    added = added_packages(commit, packages)
    roster = changed_roster(group.roster, commit.removes, added)
    require_new_leaves(added, group.leaves)
    own = _require_own(commit, roster, {**owned, group.own.package.hash: group.own})
    validate_all(added, admission)
    if commit.kind is Kind.ADVANCE:
        secret = schedule.advanced_secret(group.secrets.init, commit.transcript)
    else:
        secret = _unwrap(own, commit)
    return _confirmed(commit, _enter(commit, commit.transcript, roster, own, secret, group.leaves))


def join(
    roster_before: Roster,
    commit: Commit,
    packages: Packages,
    owned: Mapping[bytes, Own],
    admission: Admission,
) -> Group:
    """Enter a group by the commit that adds us.

    *roster_before* is what the room says; that it is true follows from the roster hash, the
    committer's signature and the confirmation together. Raises ``Rejected`` as `accept` does.
    """
    if commit.kind is Kind.CREATE:
        raise Rejected("commit_kind", "A new group holds only its founder.")
    if commit.channel != admission.channel:
        raise Rejected("commit_group", "The commit is for another channel.")
    _require_committer(commit, roster_before)
    _require_signature(commit, roster_before[commit.committer])
    added = added_packages(commit, packages)
    # Who is removed may be a stranger to us; the roster hash tells whether the rest is right.
    roster = changed_roster(roster_before, roster_before.keys() & set(commit.removes), added)
    own = _require_own(commit, roster, owned)
    validate_all(roster.values(), admission)
    secret = _unwrap(own, commit)
    return _confirmed(commit, _enter(commit, commit.transcript, roster, own, secret, frozenset()))


def _require_successor(group: Group, commit: Commit) -> None:
    if commit.group != group.id:
        raise Rejected("commit_group", "The commit is for another call.")
    if commit.epoch != group.epoch + 1:
        raise Rejected(
            "commit_epoch", f"Epoch {commit.epoch} does not follow epoch {group.epoch}."
        )
    if commit.prev != group.transcript:
        raise Rejected("commit_prev", "The commit follows another history than ours.")
    if commit.kind is Kind.CREATE:
        raise Rejected("commit_kind", "The group exists already.")
    _require_committer(commit, group.roster)


def _require_committer(commit: Commit, roster: Roster) -> None:
    if commit.committer not in roster or commit.committer in commit.removes:
        raise Rejected("commit_committer", "The committer is not a member who stays.")
    if commit.kind is Kind.ADVANCE and commit.removes:
        raise Rejected("commit_advance", "An advance keeps nobody out, so it may not remove.")


def _require_signature(commit: Commit, committer: KeyPackage) -> None:
    signed = commit.packed + commit.confirm
    if not signature_holds(committer.dk, _SIG_COMMIT, signed, commit.signature):
        raise Rejected("commit_signature", "The committer did not sign this commit.")


def require_new_leaves(added: Sequence[KeyPackage], leaves: frozenset[bytes]) -> None:
    """Raise ``Rejected`` with `commit_leaf` when one of *added* brings a leaf of *leaves*."""
    if any(package.leaf in leaves for package in added):
        raise Rejected("commit_leaf", "A leaf key was in this call before.")


def _require_own(commit: CommitBody, roster: Roster, owned: Mapping[bytes, Own]) -> Own:
    if commit.roster_hash != roster_hash(roster):
        raise Rejected("commit_roster", "The commit was made for another roster than ours.")
    for package_hash, own in owned.items():
        package = roster.get(own.package.sender)
        if package is not None and package.hash == package_hash:
            return own
    raise Rejected("commit_without_us", "The commit leads to a roster without us.")


def _enter(
    body: CommitBody,
    transcript: bytes,
    roster: Roster,
    own: Own,
    secret: bytes,
    leaves: frozenset[bytes],
) -> Group:
    present = {sender: package.leaf for sender, package in roster.items()}
    if len(leaves) > LEAVES_REMEMBERED_MAX:
        leaves = frozenset()
    return Group(
        id=body.group,
        epoch=body.epoch,
        transcript=transcript,
        roster=roster,
        own=own,
        leaves=leaves.union(present.values()),
        secrets=schedule.epoch_secrets(secret, transcript, present),
    )


def _propose(
    identity: DeviceIdentity, body: CommitBody, wraps: Mapping[int, bytes], group: Group
) -> Proposal:
    packed = body.pack()
    confirm = group.secrets.confirm
    commit = Commit(
        **{name: getattr(body, name) for name in CommitBody.__slots__},
        packed=packed,
        transcript=group.transcript,
        confirm=confirm,
        signature=identity.sign(_SIG_COMMIT, packed + confirm),
        wraps=wraps,
    )
    return Proposal(commit, group)


def _confirmed(commit: Commit, group: Group) -> Group:
    if not compare_digest(group.secrets.confirm, commit.confirm):
        raise Rejected("commit_confirm", "Our epoch secret is not the one that was signed.")
    return group


def _wrap(
    eph_secret: bytes, head: tuple[bytes, bytes], package: KeyPackage, secret: bytes
) -> bytes:
    eph, transcript = head
    shared = agree(eph_secret, package.leaf)
    index = package.sender.to_bytes(2, "big")
    key = derive(shared, _WRAP, eph + package.leaf + transcript + index)
    return seal_once(key, secret, transcript + index)


def _unwrap(own: Own, commit: Commit) -> bytes:
    package = own.package
    wrap = commit.wraps.get(package.sender)
    if wrap is None:
        raise Rejected("commit_wrap", "The commit brings no secret for us.")
    shared = agree(own.leaf_secret, commit.eph)
    index = package.sender.to_bytes(2, "big")
    key = derive(shared, _WRAP, commit.eph + package.leaf + commit.transcript + index)
    secret = open_once(key, wrap, commit.transcript + index)
    if secret is None:
        raise Rejected("commit_wrap", "The secret in the commit was not wrapped for us.")
    return secret
