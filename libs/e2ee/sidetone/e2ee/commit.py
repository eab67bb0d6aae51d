"""The wire form of a commit, readable without any key.

This is all that the delivery service needs: fields, who is removed and added, and each member's
own copy. Whether a commit is acceptable is decided in `group`.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Any, Final, NamedTuple

from sidetone.e2ee.primitives import SIGNATURE_LENGTH, digest, label
from sidetone.e2ee.rejected import Rejected

VERSION: Final = 1
COMMIT_LENGTH_MAX: Final = 60 * 1024
WRAP_LENGTH: Final = 48
EPOCH_MAX: Final = 2**32 - 1

_TRANSCRIPT: Final = label("vx1 trans")
_HEAD: Final = struct.Struct(">BB32sIH32s32s32sH")
_ADD: Final = struct.Struct(">H32s")
_WRAP: Final = struct.Struct(">H48s")
_COUNT: Final = struct.Struct(">H")
_CONFIRM_LENGTH: Final = 32


class Kind(IntEnum):
    """What a commit does to the epoch secret: found it, hash it onward, or replace it."""

    CREATE = 0
    ADVANCE = 1
    REKEY = 2


class Add(NamedTuple):
    """A sender that the commit lets in, by the hash of its key package."""

    sender: int
    package_hash: bytes


@dataclass(frozen=True, slots=True)
class CommitBody:
    """What the transcript covers; lists are sorted by sender and free of duplicates.

    *group* is the channel's id and 16 random bytes, *prev* the transcript hash of the commit
    before, *eph* the committer's X25519 public key for this commit, zeros without wraps.
    """

    kind: Kind
    group: bytes
    epoch: int
    committer: int
    prev: bytes
    roster_hash: bytes
    eph: bytes
    removes: tuple[int, ...]
    adds: tuple[Add, ...]

    def pack(self) -> bytes:
        """Pack the body as in section 2.4 of VX1."""
        head = _HEAD.pack(
            VERSION,
            self.kind,
            self.group,
            self.epoch,
            self.committer,
            self.prev,
            self.roster_hash,
            self.eph,
            len(self.removes),
        )
        removes = b"".join(_COUNT.pack(sender) for sender in self.removes)
        adds = b"".join(_ADD.pack(*add) for add in self.adds)
        return head + removes + _COUNT.pack(len(self.adds)) + adds

    @property
    def channel(self) -> bytes:
        """The channel that the group belongs to, 16 bytes."""
        return self.group[:16]


@dataclass(frozen=True, slots=True)
class Commit(CommitBody):
    """A commit as it came, with its transcript hash.

    *wraps* hold the epoch secret sealed to a sender's leaf; a member's copy has at most its own.
    """

    packed: bytes
    transcript: bytes
    confirm: bytes
    signature: bytes
    wraps: Mapping[int, bytes]

    def wire(self) -> bytes:
        """Pack the commit with every wrap, as the committer sends it."""
        return self._wire(self.wraps.items())

    def for_member(self, sender: int) -> bytes:
        """Pack *sender*'s copy: the same commit with its own wrap only, or with none."""
        wrap = self.wraps.get(sender)
        return self._wire(() if wrap is None else ((sender, wrap),))

    def _wire(self, wraps: Iterable[tuple[int, bytes]]) -> bytes:
        pairs = b"".join(_WRAP.pack(sender, wrap) for sender, wrap in wraps)
        return self.packed + self.confirm + self.signature + pairs


def transcript_of(packed_body: bytes) -> bytes:
    """Hash a packed body to the transcript; it chains, as the body holds the one before."""
    return digest(_TRANSCRIPT, packed_body)


def parse(wire: bytes) -> Commit:
    """Read a commit without judging it.

    Raises ``Rejected`` with `commit_size`, `commit_version`, `commit_kind` or `commit_order`.
    """
    if not _HEAD.size <= len(wire) <= COMMIT_LENGTH_MAX:
        raise Rejected("commit_size", f"A commit of {len(wire)} bytes is too short or too long.")
    version, kind, group, epoch, committer, prev, roster_hash, eph, removes_count = _HEAD.unpack(
        wire[: _HEAD.size]
    )
    if version != VERSION:
        raise Rejected("commit_version", f"Commit version {version} is not known here.")
    if kind not in iter(Kind):
        raise Rejected("commit_kind", f"Commit kind {kind} is not known here.")
    removes, rest = _rows(_COUNT, removes_count, wire[_HEAD.size :])
    adds_count, rest = _rows(_COUNT, 1, rest)
    adds, rest = _rows(_ADD, adds_count[0][0], rest)
    if len(rest) < _CONFIRM_LENGTH + SIGNATURE_LENGTH:
        raise Rejected("commit_size", "The commit ends before its signature.")
    body_length = len(wire) - len(rest)
    tail = rest[_CONFIRM_LENGTH + SIGNATURE_LENGTH :]
    wraps, _ = _rows(_WRAP, -(-len(tail) // _WRAP.size), tail)
    _require_ascending(removes)
    _require_ascending(adds)
    _require_ascending(wraps)
    packed = bytes(wire[:body_length])
    return Commit(
        kind=Kind(kind),
        group=group,
        epoch=epoch,
        committer=committer,
        prev=prev,
        roster_hash=roster_hash,
        eph=eph,
        removes=tuple(sender for (sender,) in removes),
        adds=tuple(Add(*row) for row in adds),
        packed=packed,
        transcript=transcript_of(packed),
        confirm=bytes(rest[:_CONFIRM_LENGTH]),
        signature=bytes(rest[_CONFIRM_LENGTH : _CONFIRM_LENGTH + SIGNATURE_LENGTH]),
        wraps=dict(wraps),
    )


def _rows(row: struct.Struct, count: int, data: bytes) -> tuple[list[tuple[Any, ...]], bytes]:
    length = row.size * count
    if len(data) < length:
        raise Rejected("commit_size", "The commit ends inside a list.")
    return list(row.iter_unpack(data[:length])), data[length:]


def _require_ascending(rows: Sequence[tuple[Any, ...]]) -> None:
    senders = [row[0] for row in rows]
    if any(left >= right for left, right in pairwise(senders)):
        raise Rejected("commit_order", "A list of the commit is not sorted, or has a duplicate.")
