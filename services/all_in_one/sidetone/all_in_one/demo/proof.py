"""The proof: every datagram that passed the server, tried with everything that somebody holds.

Three opponents: the server with all it holds, a removed member with the last keys it had, and, so
that a broken trial cannot pass for a good cipher, a member who must open every one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sidetone.all_in_one.demo.evidence import Evidence
from sidetone.e2ee.commit import Commit
from sidetone.e2ee.commit import parse as parse_commit
from sidetone.e2ee.frames import parse_header
from sidetone.e2ee.keypackage import parse as parse_package
from sidetone.e2ee.media import count_opened
from sidetone.e2ee.primitives import KEY_LENGTH, agree, derive, label, open_once
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.schedule import (
    MediaKind,
    advanced_secret,
    epoch_secrets,
    frame_key,
)

# The epoch's number modulo 256, a sender and a kind: a chain of keys, one per generation.
KeyName: TypeAlias = tuple[int, int, MediaKind]
Keys: TypeAlias = Mapping[KeyName, Iterable[bytes]]
# What a removed member may still open: the switch to the next epoch takes up to this long.
EXCLUSION_NS = 1_000_000_000

_WRAP = label("vx1 wrap")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many of the ``tried`` datagrams each opponent opened.

    ``removed_tried`` counts those that passed later than one second after the removal;
    ``exclusion_ms`` is when the removed member opened its last datagram, counted from its removal.
    """

    tried: int
    opened_by_member: int
    opened_by_server: int
    removed_tried: int
    opened_by_removed: int
    exclusion_ms: float


def judge(
    evidence: Evidence,
    member_keys: Keys,
    removed_keys: Keys,
    removed_at_ns: int,
) -> Verdict:
    """Try all datagrams of *evidence* with the keys of each opponent (48 bytes by name)."""
    later = [
        frame
        for frame, at_ns in zip(evidence.frames, evidence.passed_ns, strict=True)
        if at_ns > removed_at_ns + EXCLUSION_NS
    ]
    return Verdict(
        tried=len(evidence.frames),
        opened_by_member=_opened_by_name(evidence.frames, member_keys),
        opened_by_server=_opened_by_server(evidence),
        removed_tried=len(later),
        opened_by_removed=sum(
            count_opened(key, later) for keys in removed_keys.values() for key in keys
        ),
        exclusion_ms=_exclusion_ms(evidence, removed_keys, removed_at_ns),
    )


def _names(frames: Iterable[bytes]) -> dict[KeyName, list[bytes]]:
    """Group *frames* by the chain of keys that sealed them, as their headers tell."""
    groups: dict[KeyName, list[bytes]] = defaultdict(list)
    for frame in frames:
        header = parse_header(frame)
        if header is not None:
            groups[(header.epoch, header.sender, header.kind)].append(frame)
    return groups


def _opened_by_name(frames: list[bytes], keys: Keys) -> int:
    return sum(
        count_opened(key, group)
        for name, group in _names(frames).items()
        for key in keys.get(name, ())
    )


def _exclusion_ms(evidence: Evidence, keys: Keys, removed_at_ns: int) -> float:
    last_ns = removed_at_ns
    for frame, at_ns in zip(evidence.frames, evidence.passed_ns, strict=True):
        soon = removed_at_ns < at_ns <= removed_at_ns + 3 * EXCLUSION_NS
        if soon and _opened_by_name([frame], keys):
            last_ns = at_ns
    return (last_ns - removed_at_ns) / 1e6


def _opened_by_server(evidence: Evidence) -> int:
    """Count what opens with any key that can be made of what the server holds.

    Each 32-byte window of each byte string is taken for a chain key and tried on one datagram of
    each key (all datagrams of a key open or none does); each whole 32-byte value is tried on every
    datagram, and also as commit secret, as secret of the epoch before, and as private key to the
    wraps.
    """
    samples = [group[0] for group in _names(evidence.frames).values()]
    windows = {
        value[start : start + KEY_LENGTH]
        for value in evidence.held
        for start in range(len(value) - KEY_LENGTH + 1)
    }
    fields = {value for value in evidence.held if len(value) == KEY_LENGTH}
    opened = sum(count_opened(frame_key(window), samples) for window in windows)
    opened += sum(count_opened(frame_key(value), evidence.frames) for value in fields)
    leaves = {p.sender: p.leaf for p in map(parse_package, evidence.packages)}
    for commit in map(parse_commit, evidence.commits):
        for secret in _commit_secrets(commit, fields, leaves):
            chains = epoch_secrets(secret, commit.transcript, leaves).chains
            opened += sum(count_opened(frame_key(chain), samples) for chain in chains.values())
    return opened


def _commit_secrets(
    commit: Commit, fields: set[bytes], leaves: Mapping[int, bytes]
) -> Iterable[bytes]:
    """Guess the secret of *commit*: a value itself, one hash on, or out of a wrap."""
    for value in fields:
        yield value
        yield advanced_secret(value, commit.transcript)
        for sender, wrap in commit.wraps.items():
            leaf = leaves.get(sender)
            if leaf is None:
                continue
            for public in (commit.eph, leaf):
                secret = _unwrapped(value, public, commit, sender, leaf, wrap)
                if secret is not None:
                    yield secret


def _unwrapped(
    private: bytes, public: bytes, commit: Commit, sender: int, leaf: bytes, wrap: bytes
) -> bytes | None:
    index = sender.to_bytes(2, "big")
    try:
        shared = agree(private, public)
    except Rejected:
        return None
    key = derive(shared, _WRAP, commit.eph + leaf + commit.transcript + index)
    return open_once(key, wrap, commit.transcript + index)
