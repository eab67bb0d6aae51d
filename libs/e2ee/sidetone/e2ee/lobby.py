"""What the room told us: who is connected, who is to go, and whose key packages are here.

Nothing of it is believed: it decides what we propose and where we look, never what we accept.
Bounded, because the room is untrusted.
"""

from collections.abc import Iterable
from typing import Final

from sidetone.e2ee.commit import CommitBody
from sidetone.e2ee.keypackage import KeyPackage
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.roster import Packages, Roster

PACKAGES_MAX: Final = 4_096


class Lobby:
    """The room's word, in four tables.

    *view* is the roster by package hash as a member who waits to be added follows it; a hash is
    None until the package is here.
    """

    def __init__(self) -> None:
        self.connected: set[int] = set()
        self.announced: set[int] = set()
        self.packages: dict[bytes, KeyPackage] = {}
        self.view: dict[int, bytes | None] = {}
        self._waiting: dict[int, KeyPackage] = {}

    def clear(self) -> None:
        """Forget everything but who is connected: the group has ended."""
        self.announced.clear()
        self.packages.clear()
        self.view.clear()
        self._waiting.clear()

    def learn(self, sender: int, package: KeyPackage) -> None:
        """Keep a key package, as the newest of its sender.

        Raises ``Rejected`` with `kp_sender`, or `kp_too_many` when the room sends without end.
        """
        if package.sender != sender:
            raise Rejected("kp_sender", "The key package is another sender's.")
        if len(self.packages) >= PACKAGES_MAX and package.hash not in self.packages:
            raise Rejected("kp_too_many", "There are more key packages than a call can need.")
        self.packages[package.hash] = package
        # The first package of a member whom we know by index only is the one in the roster.
        if package.sender in self.view and self.view[package.sender] is None:
            self.view[package.sender] = package.hash
        else:
            self._waiting[package.sender] = package

    def leave(self, sender: int) -> None:
        """Note that a connection ended; its waiting package goes with it."""
        self.connected.discard(sender)
        self._waiting.pop(sender, None)

    def drop(self, package: KeyPackage) -> None:
        """Forget a waiting package that no commit can take in."""
        if self._waiting.get(package.sender) == package:
            del self._waiting[package.sender]

    def candidates(self, roster: Roster) -> list[KeyPackage]:
        """List the packages of connected senders that a commit should add.

        A sender who is in the roster counts when its removal was announced: that is a refresh.
        """
        return [
            package
            for sender, package in sorted(self._waiting.items())
            if sender in self.connected
            and (sender not in roster or sender in self.announced)
            and roster.get(sender) != package
        ]

    def follow(self, commit: CommitBody) -> None:
        """Track a commit that we do not take part in."""
        for sender in commit.removes:
            self.view.pop(sender, None)
            self.announced.discard(sender)
        self.view.update(commit.adds)

    def viewed_roster(self, packages: Packages) -> Roster:
        """Look up the roster that the room claims; withheld packages are left out."""
        return {
            sender: packages[package_hash]
            for sender, package_hash in self.view.items()
            if package_hash is not None and package_hash in packages
        }

    def settle(self, roster: Roster, removes: Iterable[int]) -> None:
        """Tidy up after a commit that led to *roster*: the view is that roster again."""
        self.announced -= set(removes)
        self.announced &= roster.keys()
        self.view = {sender: package.hash for sender, package in roster.items()}
        self._waiting = {
            sender: package
            for sender, package in self._waiting.items()
            if roster.get(sender) != package
        }
        kept = (*roster.values(), *self._waiting.values())
        self.packages = {package.hash: package for package in kept}
