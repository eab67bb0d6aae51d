"""Checks a file of VX1 test vectors: every value is computed anew from the seeds and compared.

The checked file has the form of `vx1.json`. Only the bits of an X25519 secret that its clamping
ignores (RFC 7748, section 5) may differ unnoticed, because no implementation can tell them.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeVar, cast

from sidetone.e2ee import keypackage
from sidetone.e2ee.aead import PlainFrameKey
from sidetone.e2ee.commit import Commit, Kind
from sidetone.e2ee.commit import parse as parse_commit
from sidetone.e2ee.fast_aead import FRAME_KEY
from sidetone.e2ee.frames import LOW_MAX, Header, parse_header
from sidetone.e2ee.grant import Grant, sign_grant
from sidetone.e2ee.group import Change, Group, Own, Proposal, accept, create, join, succeed
from sidetone.e2ee.identity import DeviceIdentity, safety_number
from sidetone.e2ee.keypackage import Admission
from sidetone.e2ee.primitives import leaf_public, signing_key
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import GENERATION_BITS, MediaKind, epoch_code, frame_key, ratchet

# Where each bad frame differs from its base, by one bit: offset and mask.
_FLIPS: Final = {
    "end flag flipped": (0, 8),
    "epoch": (1, 1),
    "sender": (3, 1),
    "counter": (7, 1),
    "ciphertext": (8, 1),
    "tag": (-1, 1),
}
_GENERATION_MAX: Final = 1024
_MS_MAX: Final = 2**48


_Judged = TypeVar("_Judged")


class Mismatch(Exception):
    """Say which value of a vector file is not what it should be."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the document, whose path is told when something there is wrong."""

    value: object
    path: str

    def fail(self, detail: str) -> NoReturn:
        """Raise ``Mismatch`` for this place."""
        raise Mismatch(f"{self.path}: {detail}")

    def __getitem__(self, name: str | int) -> "Node":
        path = f"{self.path}[{name}]" if isinstance(name, int) else f"{self.path}.{name}"
        try:
            return Node(cast("Any", self.value)[name], path)
        except (KeyError, IndexError, TypeError):
            raise Mismatch(f"{path} is missing.") from None

    def items(self) -> "list[tuple[str, Node]]":
        """List the fields of an object."""
        if not isinstance(self.value, Mapping):
            self.fail("should be an object.")
        return [(name, self[name]) for name in cast("Mapping[str, object]", self.value)]

    def rows(self) -> "list[Node]":
        """List the elements of an array."""
        if not isinstance(self.value, list):
            self.fail("should be an array.")
        return [self[index] for index in range(len(cast("list[object]", self.value)))]

    def text(self) -> str:
        """Read a string."""
        if not isinstance(self.value, str):
            self.fail("should be a string.")
        return self.value

    def number(self, maximum: int) -> int:
        """Read an integer from 0 to *maximum*."""
        value = self.value
        if not isinstance(value, int) or not 0 <= value <= maximum:
            self.fail(f"should be a number from 0 to {maximum}.")
        return int(value)

    def octets(self, length: int | None = None) -> bytes:
        """Read a string of hexadecimal digits as *length* bytes."""
        try:
            octets = bytes.fromhex(self.text())
        except ValueError:
            self.fail("should be hexadecimal.")
        if length is not None and len(octets) != length:
            self.fail(f"should have {length} bytes.")
        return octets

    def expect(self, computed: object) -> None:
        """Compare with what was computed; bytes are compared as hexadecimal."""
        same = self.octets() if isinstance(computed, bytes) else self.value
        if same != computed:
            shown = computed.hex() if isinstance(computed, bytes) else computed
            self.fail(f"differs; computed {shown}.")


@dataclass(slots=True)
class Cast:
    """Everybody in the document, and every epoch's chains."""

    admission: Admission
    identities: dict[int, DeviceIdentity] = field(default_factory=dict[int, DeviceIdentity])
    owned: dict[int, Own] = field(default_factory=dict[int, Own])
    groups: dict[int, Group] = field(default_factory=dict[int, Group])
    names: dict[str, int] = field(default_factory=dict[str, int])
    chains: list[Mapping[tuple[int, int], bytes]] = field(
        default_factory=list[Mapping[tuple[int, int], bytes]]
    )


def check(document: bytes | Mapping[str, object]) -> tuple[str, ...]:
    """Verify a vector file byte for byte; returns one line per group with the number checked.

    Raises ``Mismatch`` that names the first value that differs or is missing.
    """
    root = Node(_decoded(document), "vectors")
    root["protocol"].expect("VX1")
    root["ver"].expect(keypackage.VERSION)
    root["suite"].expect(keypackage.SUITE)
    grant_key, _ = signing_key(root["server_seed"].octets(32))
    channel, now_ms = root["channel"].octets(16), root["now"].number(_MS_MAX)
    cast_ = Cast(Admission(channel, now_ms, (grant_key,)))
    groups: dict[str, Callable[[Node, Cast], int]] = {
        "key packages": _check_members,
        "commits": _check_epochs,
        "frames": _check_frames,
        "rejections": _check_bad_frames,
        "safety numbers": _check_safety_numbers,
    }
    return tuple(f"{name} {verify(root, cast_)}" for name, verify in groups.items())


def _decoded(document: bytes | Mapping[str, object]) -> object:
    if isinstance(document, Mapping):
        return document
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        raise Mismatch("vectors: this is not JSON.") from None


def _check_members(root: Node, people: Cast) -> int:
    members = root["members"].items()
    not_after_ms = people.admission.now_ms + root["ttl"].number(_MS_MAX)
    for name, node in members:
        identity = DeviceIdentity(
            node["user"].octets(16),
            node["device"].octets(16),
            node["uik_seed"].octets(32),
            node["dk_seed"].octets(32),
            node["created"].number(_MS_MAX),
        )
        sender, leaf_secret = node["sender"].number(0xFFFF), node["leaf_sk"].octets(32)
        leaf = leaf_public(leaf_secret)
        node["leaf_pk"].expect(leaf)
        claims = Grant(
            people.admission.channel,
            identity.user,
            identity.device,
            identity.uik,
            identity.dk,
            not_after_ms,
        )
        grant = sign_grant(root["server_seed"].octets(32), claims)
        package = keypackage.build(identity, grant, sender, leaf)
        node["key_package"].expect(package.wire)
        node["kp_hash"].expect(package.hash)
        _judged(node, lambda package=package: keypackage.validate(package, people.admission))
        people.identities[sender] = identity
        people.owned[sender] = Own(package, leaf_secret)
        people.names[name] = sender
    return len(members)


def _check_epochs(root: Node, people: Cast) -> int:
    epochs = root["epochs"].rows()
    for node in epochs:
        committer = node["committer"].number(0xFFFF)
        if committer not in people.owned:
            node["committer"].fail("is not one of the members.")
        proposal = _judged(node, lambda node=node, who=committer: _propose(node, people, who))
        _compare_commit(node, proposal)
        people.chains.append(proposal.group.secrets.chains)
        _follow(node, people, parse_commit(proposal.commit.wire()))
        people.groups[committer] = proposal.group
    return len(epochs)


def _propose(node: Node, people: Cast, committer: int) -> Proposal:
    identity, own = people.identities[committer], people.owned[committer]
    kind = node["kind"].number(max(Kind))
    random32 = None if kind == Kind.ADVANCE else node["rnd"].octets(32)
    if random32 is None:
        node["rnd"].expect(None)
    if kind == Kind.CREATE and random32 is not None:
        node["removes"].expect([])
        node["adds"].expect([[committer, own.package.hash.hex()]])
        node["eph_sk"].expect(None)
        return create(identity, own, random32[:16], random32)
    removes = [each.number(0xFFFF) for each in node["removes"].rows()]
    hashes = {own.package.hash: own.package for own in people.owned.values()}
    adds = [hashes.get(each[1].octets(32)) for each in node["adds"].rows()]
    if None in adds or committer not in people.groups:
        node["adds"].fail("names a key package that is not among the members.")
    found = [package for package in adds if package is not None]
    node["adds"].expect([[package.sender, package.hash.hex()] for package in found])
    eph_secret = node["eph_sk"].octets(32)
    group = people.groups[committer]
    return succeed(identity, group, Change(removes, found), eph_secret, random32)


def _compare_commit(node: Node, proposal: Proposal) -> None:
    commit, secrets = proposal.commit, proposal.group.secrets
    node["epoch"].expect(commit.epoch)
    node["kind"].expect(commit.kind.value)
    node["body"].expect(commit.packed)
    node["transcript"].expect(commit.transcript)
    node["confirm"].expect(commit.confirm)
    node["sig"].expect(commit.signature)
    node["init"].expect(secrets.init)
    node["auth"].expect(secrets.auth)
    node["code"].expect(epoch_code(secrets.auth))
    wraps = {str(sender): wrap for sender, wrap in commit.wraps.items()}
    chains = {f"{sender},{kind}": chain for (sender, kind), chain in secrets.chains.items()}
    _expect_all(node["wraps"], wraps)
    _expect_all(node["chains"], chains)


def _follow(node: Node, people: Cast, commit: Commit) -> None:
    before = dict(people.groups)
    packages = {own.package.hash: own.package for own in people.owned.values()}
    followers = (set(before) | {add.sender for add in commit.adds}) - {commit.committer}
    for sender in followers:
        own = people.owned[sender]
        copy = parse_commit(commit.for_member(sender))
        if sender in commit.removes:
            del people.groups[sender]
            continue
        owned = {own.package.hash: own}
        people.groups[sender] = _judged(
            node,
            lambda sender=sender, copy=copy, owned=owned: (
                accept(before[sender], copy, packages, owned, people.admission)
                if sender in before
                else join(before[commit.committer].roster, copy, packages, owned, people.admission)
            ),
        )
        node["init"].expect(people.groups[sender].secrets.init)


def _check_frames(root: Node, people: Cast) -> int:
    frames = root["frames"].rows()
    for node in frames:
        epoch = node["epoch"].number(len(people.chains) - 1)
        slot = node["sender"].number(0xFFFF), node["kind"].number(max(MediaKind))
        chain = people.chains[epoch].get(slot)
        if chain is None:
            node["sender"].fail("is not in that epoch.")
        counter = node["counter"].number(_GENERATION_MAX << GENERATION_BITS)
        generation = counter >> GENERATION_BITS
        node["generation"].expect(generation)
        key48 = frame_key(ratchet(chain, generation))
        header = Header(
            MediaKind(slot[1]),
            bool(node["end"].number(1)),
            node["sub"].number(LOW_MAX),
            epoch & 255,
            slot[0],
            counter,
        )
        packed = header.pack()
        node["key"].expect(key48[:32])
        node["salt"].expect(key48[32:])
        node["nonce"].expect(key48[32:] + packed)
        plaintext, frame = node["plaintext"].octets(), node["frame"].octets()
        for cipher in (PlainFrameKey(key48), FRAME_KEY(key48)):
            node["frame"].expect(cipher.seal(packed, plaintext))
            if cipher.open(frame) != plaintext or parse_header(frame) != header:
                node["frame"].fail("does not open to its plaintext.")
    return len(frames)


def _check_bad_frames(root: Node, people: Cast) -> int:
    bad_frames = root["bad_frames"].rows()
    good = root["frames"].rows()
    for node in bad_frames:
        flip = _FLIPS.get(node["why"].text())
        if flip is None:
            node["why"].fail("is not a known reason.")
        base = good[node["base"].number(len(good) - 1)]
        frame = bytearray(base["frame"].octets())
        frame[flip[0]] ^= flip[1]
        node["frame"].expect(bytes(frame))
        key48s = [base["key"].octets(32) + base["salt"].octets(16)]
        header = parse_header(bytes(frame))
        if header and header.epoch < len(people.chains):
            chain = people.chains[header.epoch].get((header.sender, header.kind.value))
            key48s += [frame_key(chain)] if chain else []
        for key48 in key48s:
            for cipher in (PlainFrameKey(key48), FRAME_KEY(key48)):
                if cipher.open(bytes(frame)) is not None:
                    node["frame"].fail("opens, and must not.")
    return len(bad_frames)


def _check_safety_numbers(root: Node, people: Cast) -> int:
    numbers = root["safety_number"].items()
    for pair, node in numbers:
        names = pair.split(",")
        if len(names) != 2 or not people.names.keys() >= set(names):  # noqa: PLR2004
            node.fail("does not name two members.")
        left, right = (people.identities[people.names[name]] for name in names)
        node.expect(safety_number(left.user, left.uik, right.user, right.uik))
    return len(numbers)


def _expect_all(node: Node, computed: Mapping[str, bytes]) -> None:
    if sorted(name for name, _ in node.items()) != sorted(computed):
        node.fail(f"should have exactly {', '.join(computed) or 'nothing'}.")
    for name, value in computed.items():
        node[name].expect(value)


def _judged(node: Node, judge: Callable[[], _Judged]) -> _Judged:
    try:
        return judge()
    except Rejected as refusal:
        node.fail(f"is refused: {refusal}.")
