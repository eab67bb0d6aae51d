"""People, keys and groups for tests; nothing here is random twice."""

from hashlib import blake2b

from sidetone.e2ee import keypackage
from sidetone.e2ee.grant import Grant, sign_grant
from sidetone.e2ee.group import Change, Group, Own, Proposal, accept, create, join, succeed
from sidetone.e2ee.identity import DeviceIdentity, RandomBytes, create_identity
from sidetone.e2ee.keypackage import Admission, KeyPackage
from sidetone.e2ee.primitives import leaf_public, signing_key

NOW_MS = 1_800_000_000_000
GRANT_LIFETIME_MS = 2 * 3_600_000
GRANT_SEED = bytes(range(32))
GRANT_KEY = signing_key(GRANT_SEED)[0]
CHANNEL = b"town hall voice!"


class Drawn:
    """A source of bytes that never repeats and is the same for the same *name*."""

    def __init__(self, name: str) -> None:
        self._name = name.encode()
        self._count = 0

    def __call__(self, length: int) -> bytes:
        self._count += 1
        return blake2b(
            self._count.to_bytes(8, "big"), key=self._name[:64], digest_size=length
        ).digest()


def name16(name: str) -> bytes:
    return name.encode().ljust(16, b".")[:16]


def person(name: str, device: str = "desk") -> DeviceIdentity:
    random: RandomBytes = Drawn(f"identity of {name} {device}")
    return create_identity(name16(name), name16(f"{name} {device}"), NOW_MS - 1000, random)


def grant(
    identity: DeviceIdentity,
    channel: bytes = CHANNEL,
    not_after_ms: int = NOW_MS + GRANT_LIFETIME_MS,
    seed: bytes = GRANT_SEED,
) -> bytes:
    claims = Grant(
        channel, identity.user, identity.device, identity.uik, identity.dk, not_after_ms
    )
    return sign_grant(seed, claims)


def admission(now_ms: int = NOW_MS, channel: bytes = CHANNEL) -> Admission:
    return Admission(channel, now_ms, (GRANT_KEY,))


def own(identity: DeviceIdentity, sender: int, secret: bytes | None = None) -> Own:
    secret = secret or Drawn(f"leaf {identity.user!r} {sender}")(32)
    package = keypackage.build(identity, grant(identity), sender, leaf_public(secret))
    return Own(package, secret)


def by_hash(*packages: KeyPackage) -> dict[bytes, KeyPackage]:
    return {package.hash: package for package in packages}


def owned(*owns: Own) -> dict[bytes, Own]:
    return {each.package.hash: each for each in owns}


class Trio:
    """Alice (0) and Bob (1) in a group, at the same epoch; Carol (2) and Dave (3) outside."""

    def __init__(self) -> None:
        self.random = Drawn("trio")
        self.people = {name: person(name) for name in ("alice", "bob", "carol", "dave")}
        self.owns = {
            name: own(identity, sender)
            for sender, (name, identity) in enumerate(self.people.items())
        }
        self.packages = by_hash(*(each.package for each in self.owns.values()))
        founding = create(
            self.people["alice"], self.owns["alice"], self.random(16), self.random(32)
        )
        self.founded = founding.group
        proposal = self.advance(founding.group, "bob")
        self.alice = proposal.group
        self.bob = self.joined("bob", founding.group, proposal)

    def advance(self, group: Group, *names: str) -> Proposal:
        adds = [self.owns[name].package for name in names]
        return succeed(self.people["alice"], group, Change(adds=adds), self.random(32))

    def rekey(self, group: Group, change: Change, name: str = "alice") -> Proposal:
        return succeed(self.people[name], group, change, self.random(32), random32=self.random(32))

    def joined(self, name: str, before: Group, proposal: Proposal) -> Group:
        return join(
            before.roster, proposal.commit, self.packages, owned(self.owns[name]), admission()
        )

    def accepted(self, group: Group, proposal: Proposal) -> Group:
        return accept(group, proposal.commit, self.packages, {}, admission())
