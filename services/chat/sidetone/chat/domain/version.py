"""Versions of what several people may edit at once, made from what it says."""

import hashlib

import msgspec

from sidetone.protocol.refusals import Conflict

_BYTES = 7


def version_of(piece: msgspec.Struct) -> int:
    """Return the version of *piece*: 56 bits of SHA-256 over its form."""
    digest = hashlib.sha256(msgspec.msgpack.encode(piece)).digest()
    return int.from_bytes(digest[:_BYTES], "big")


def require_version(piece: msgspec.Struct, expected: int | None) -> None:
    """Refuse the edit of another version than the one that was *expected*; None: of any."""
    if expected is not None and expected != version_of(piece):
        raise Conflict(
            "stale_version", "somebody else has changed this; read it again, then repeat your edit"
        )
