"""The auth service's word that a user's device may enter a channel's calls.

Issued with the voice ticket and carried inside the key package, so that every member checks it
offline. It admits to a channel; it cannot make a member invisible and opens no frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sidetone.e2ee.primitives import (
    SIGNATURE_LENGTH,
    label,
    sign,
    signature_holds,
    signing_key,
)
from sidetone.e2ee.rejected import Rejected

_GRANT: Final = label("vx1 sig grant")
_BODY_LENGTH: Final = 3 * 16 + 2 * 32 + 8
GRANT_LENGTH: Final = _BODY_LENGTH + SIGNATURE_LENGTH


@dataclass(frozen=True, slots=True)
class Grant:
    """The claims of a grant: ids of 16 bytes, Ed25519 public keys of 32, UTC milliseconds."""

    channel: bytes
    user: bytes
    device: bytes
    uik: bytes
    dk: bytes
    not_after_ms: int

    def body(self) -> bytes:
        """Pack what is signed: `channel16 user16 device16 UIK32 DK32 not_after8`, 120 bytes."""
        return b"".join(
            (
                self.channel,
                self.user,
                self.device,
                self.uik,
                self.dk,
                self.not_after_ms.to_bytes(8, "big"),
            )
        )


def sign_grant(seed: bytes, grant: Grant) -> bytes:
    """Sign *grant* with the auth service's 32-byte seed: 120 bytes of claims and the signature."""
    _, secret = signing_key(seed)
    body = grant.body()
    if len(body) != _BODY_LENGTH:
        raise Rejected("grant_size", "A grant needs ids of 16 bytes and keys of 32.")
    return body + sign(secret, _GRANT, body)


def grant_holds(grant: Grant, signature: bytes, keys: Sequence[bytes]) -> bool:
    """Tell whether one of the auth service's public *keys* signed these claims."""
    body = grant.body()
    return any(signature_holds(key, _GRANT, body, signature) for key in keys)


def verify_grant(wire: bytes, keys: Sequence[bytes]) -> Grant:
    """Read a signed grant of 184 bytes.

    *keys* are the current and the previous public key of the auth service. Expiry is not judged
    here: the key package carries it, and its rules say how much lateness is forgiven. Raises
    ``Rejected`` with `grant_size` or `grant_signature`.
    """
    if len(wire) != GRANT_LENGTH:
        raise Rejected("grant_size", f"A grant has {GRANT_LENGTH} bytes, this one {len(wire)}.")
    grant = Grant(
        channel=wire[0:16],
        user=wire[16:32],
        device=wire[32:48],
        uik=wire[48:80],
        dk=wire[80:112],
        not_after_ms=int.from_bytes(wire[112:120], "big"),
    )
    if not grant_holds(grant, wire[_BODY_LENGTH:], keys):
        raise Rejected("grant_signature", "No grant key of the auth service signed this grant.")
    return grant
