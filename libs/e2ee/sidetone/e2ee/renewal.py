"""Our own key packages: a fresh leaf for each join, and when the next one is due.

Leaf secrets live here and in the group's state, in memory only. A leaf is replaced within 30 min,
a grant in good time before it ends; where no new grant comes, the old one carries the new leaf.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sidetone.e2ee import keypackage
from sidetone.e2ee.grant import Grant, verify_grant
from sidetone.e2ee.group import Own
from sidetone.e2ee.identity import DeviceIdentity, RandomBytes
from sidetone.e2ee.primitives import leaf_public
from sidetone.e2ee.rejected import Rejected

GRANT_WANTED_MS: Final = 20 * 60_000
GRANT_WANTED_SPREAD_MS: Final = 4 * 60_000
GRANT_RETRY_MS: Final = 60_000
LEAF_AGE_MS: Final = 28 * 60_000
OWNED_MAX: Final = 4


class Renewal:
    """The grant in force, the key packages that may still be taken in, and their due times."""

    def __init__(
        self,
        identity: DeviceIdentity,
        grant: bytes,
        random: RandomBytes,
        grant_keys: Sequence[bytes],
    ) -> None:
        self._identity = identity
        self._random = random
        self._owned: dict[bytes, Own] = {}
        self._grant_wanted_ms: int | None = None
        self._leaf_ends_ms: int | None = None
        self.channel = self._checked(grant, grant_keys).channel
        self._wire = grant

    @property
    def owned(self) -> Mapping[bytes, Own]:
        """Our key packages by hash, oldest first."""
        return self._owned

    @property
    def newest(self) -> Own | None:
        """Our newest key package that no group has taken in yet."""
        return next(reversed(self._owned.values()), None)

    def take_grant(self, wire: bytes, grant_keys: Sequence[bytes]) -> None:
        """Use a new grant from now on.

        Raises ``Rejected`` with `grant_size`, `grant_signature` or `grant_identity`.
        """
        if self._checked(wire, grant_keys).channel != self.channel:
            raise Rejected("grant_identity", "The grant is for another channel.")
        self._wire = wire

    def fresh(self, sender: int, now_ms: int) -> Own:
        """Make a key package with a fresh leaf; the times of renewal count from now on."""
        secret = self._random(32)
        package = keypackage.build(self._identity, self._wire, sender, leaf_public(secret))
        own = Own(package, secret)
        self._owned[package.hash] = own
        while len(self._owned) > OWNED_MAX:
            del self._owned[next(iter(self._owned))]
        # Two members who renew at once would leave nobody to commit, hence the spread.
        spread_ms = int.from_bytes(self._random(4), "big") % GRANT_WANTED_SPREAD_MS
        self._grant_wanted_ms = now_ms + GRANT_WANTED_MS + spread_ms
        self._leaf_ends_ms = now_ms + LEAF_AGE_MS
        return own

    def adopt(self, own: Own) -> None:
        """Note which package the group took in: it and all older ones are not pending any more."""
        for package_hash in list(self._owned):
            del self._owned[package_hash]
            if package_hash == own.package.hash:
                return

    def forget(self) -> None:
        """Drop every leaf secret: the call that they were for is over."""
        self._owned.clear()
        self._grant_wanted_ms = self._leaf_ends_ms = None

    def timer(self) -> int | None:
        """Say when `grant_due` or `leaf_due` will be true next."""
        times = (self._grant_wanted_ms, self._leaf_ends_ms)
        return min((time for time in times if time is not None), default=None)

    def grant_due(self, now_ms: int) -> bool:
        """Tell, once a minute, that a new grant should be fetched."""
        if self._grant_wanted_ms is None or now_ms < self._grant_wanted_ms:
            return False
        self._grant_wanted_ms = now_ms + GRANT_RETRY_MS
        return True

    def leaf_due(self, now_ms: int) -> bool:
        """Tell that the leaf must be replaced now, with whatever grant there is."""
        return self._leaf_ends_ms is not None and now_ms >= self._leaf_ends_ms

    def _checked(self, wire: bytes, grant_keys: Sequence[bytes]) -> Grant:
        grant = verify_grant(wire, grant_keys)
        ours = self._identity
        theirs = (grant.user, grant.device, grant.uik, grant.dk)
        if theirs != (ours.user, ours.device, ours.uik, ours.dk):
            raise Rejected("grant_identity", "The grant is for another user, device or key.")
        return grant
