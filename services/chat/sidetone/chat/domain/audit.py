"""A log of what was done in a server that nobody can alter unnoticed.

Each entry's hash covers the entry and the hash before it, and the head of the chain is kept apart
with its number: an entry that was changed, removed, inserted or cut off the end breaks the chain.
"""

import hashlib
from collections.abc import Iterable
from uuid import UUID

import msgspec

from sidetone.protocol.ids import ServerId, UserId
from sidetone.protocol.servers import AuditEntry

# Who runs the platform, and has no account for it.
OPERATOR = UserId(UUID(int=0))
# Before the first entry.
NO_HASH = bytes(32)


class Deed(msgspec.Struct, frozen=True):
    """Something done, before it has its place in the log; *before* and *after*: what differs."""

    actor: UserId
    action: str
    target: UUID | None
    before: dict[str, str]
    after: dict[str, str]
    reason: str

    @classmethod
    def of(
        cls,
        actor: UserId,
        action: str,
        target: UUID | None,
        pieces: tuple[msgspec.Struct | None, msgspec.Struct | None],
        reason: str,
    ) -> "Deed":
        """Return the deed that made the second of *pieces* out of the first; None: no piece."""
        before, after = pieces
        return cls.between(actor, action, target, (_fields(before), _fields(after)), reason)

    @classmethod
    def between(
        cls,
        actor: UserId,
        action: str,
        target: UUID | None,
        fields: tuple[dict[str, str], dict[str, str]],
        reason: str = "",
    ) -> "Deed":
        """Return the deed that made the second of *fields* out of the first."""
        before, after = fields
        same = {name for name in before if name in after and before[name] == after[name]}
        return cls(actor, action, target, _without(before, same), _without(after, same), reason)


def sealed(previous: bytes, server: ServerId, entry: AuditEntry) -> bytes:
    """Return the hash of *entry* on top of the *previous* one: SHA-256 over canonical JSON."""
    form = msgspec.json.encode((server, entry), order="sorted")
    return hashlib.sha256(previous + form).digest()


def verify(
    server: ServerId,
    entries: Iterable[tuple[AuditEntry, bytes]],
    head: tuple[int, bytes],
) -> int | None:
    """Return the number of the first entry that is not as it was written; None: all are.

    *entries* begin with the first one, each with its stored hash; *head* is the number and the
    hash of the last.
    """
    number, previous = 0, NO_HASH
    for entry, stored in entries:
        number += 1
        previous = sealed(previous, server, entry)
        if entry.number != number or stored != previous:
            return number
    return None if (number, previous) == head else number + 1


def _fields(piece: msgspec.Struct | None) -> dict[str, str]:
    """Return the fields of *piece* as text: words as they are, all else as JSON."""
    fields: dict[str, object] = {} if piece is None else msgspec.to_builtins(piece)
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in fields.items()
    }


def _without(fields: dict[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in fields.items() if name not in names}
