"""Who is in the group, as cryptography knows it.

A client shows this roster, never the room's list of who is present.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from sidetone.e2ee.commit import CommitBody
from sidetone.e2ee.keypackage import Admission, KeyPackage, validate
from sidetone.e2ee.primitives import digest, label
from sidetone.e2ee.rejected import Rejected

Roster: TypeAlias = Mapping[int, KeyPackage]
Packages: TypeAlias = Mapping[bytes, KeyPackage]

_ROSTER: Final = label("vx1 roster")


def roster_hash(roster: Roster) -> bytes:
    """Hash the members by ascending sender, each as its index and key package hash."""
    rows = (sender.to_bytes(2, "big") + roster[sender].hash for sender in sorted(roster))
    return digest(_ROSTER, len(roster).to_bytes(2, "big") + b"".join(rows))


def added_packages(commit: CommitBody, packages: Packages) -> list[KeyPackage]:
    """Find the key package of every add.

    Raises ``Rejected`` with `commit_package` when one is withheld or is another sender's.
    """
    added: list[KeyPackage] = []
    for sender, package_hash in commit.adds:
        package = packages.get(package_hash)
        if package is None or package.sender != sender:
            raise Rejected("commit_package", f"The key package of sender {sender} is not here.")
        added.append(package)
    return added


def changed_roster(roster: Roster, removes: Iterable[int], added: Iterable[KeyPackage]) -> Roster:
    """Take *removes* out of *roster* and put *added* in.

    Raises ``Rejected`` with `commit_removes` for a remove of nobody, `commit_duplicate` when a
    sender, a leaf or a device would be there twice.
    """
    changed = dict(roster)
    for sender in removes:
        if changed.pop(sender, None) is None:
            raise Rejected("commit_removes", f"Sender {sender} is not in the roster.")
    for package in added:
        if package.sender in changed:
            raise Rejected("commit_duplicate", f"Sender {package.sender} is there already.")
        changed[package.sender] = package
    _require_distinct(changed)
    return changed


def validate_all(packages: Iterable[KeyPackage], admission: Admission) -> None:
    """Check every key package as `keypackage.validate` does."""
    for package in packages:
        validate(package, admission)


def _require_distinct(roster: Roster) -> None:
    devices = {(package.user, package.device) for package in roster.values()}
    leaves = {package.leaf for package in roster.values()}
    if len(devices) < len(roster):
        raise Rejected("commit_duplicate", "A device would be in the roster twice.")
    if len(leaves) < len(roster):
        raise Rejected("commit_duplicate", "A leaf key would be in the roster twice.")
