"""Key packages: what a member shows to be let into a call, 358 bytes.

`parse` checks structure only and needs no key: it serves the delivery service. `validate` is the
whole check that every member makes for itself, whatever the delivery service says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sidetone.e2ee.grant import Grant, grant_holds
from sidetone.e2ee.identity import DeviceIdentity, device_certificate_holds
from sidetone.e2ee.primitives import SIGNATURE_LENGTH, agree, digest, label, signature_holds
from sidetone.e2ee.rejected import Rejected

VERSION: Final = 1
SUITE: Final = 1
KEY_PACKAGE_LENGTH: Final = 358
EXPIRY_LENIENCE_MS: Final = 10 * 60_000

_KP: Final = label("vx1 kp")
_SIG_KP: Final = label("vx1 sig kp")
_BODY_LENGTH: Final = 230
_SIGNED_LENGTH: Final = _BODY_LENGTH + SIGNATURE_LENGTH
# Any scalar does: a point of low order gives zero with every clamped one.
_PROBE_SCALAR: Final = b"\x01" * 32


@dataclass(frozen=True, slots=True)
class KeyPackage:
    """A parsed key package; equal exactly when the 358 bytes are equal."""

    wire: bytes
    hash: bytes = field(init=False, compare=False)
    channel: bytes = field(init=False, compare=False, repr=False)
    user: bytes = field(init=False, compare=False)
    device: bytes = field(init=False, compare=False)
    sender: int = field(init=False, compare=False)
    not_after_ms: int = field(init=False, compare=False)
    uik: bytes = field(init=False, compare=False, repr=False)
    dk: bytes = field(init=False, compare=False, repr=False)
    created_ms: int = field(init=False, compare=False)
    certificate: bytes = field(init=False, compare=False, repr=False)
    leaf: bytes = field(init=False, compare=False, repr=False)
    grant: bytes = field(init=False, compare=False, repr=False)
    signature: bytes = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        wire = self.wire
        values = {
            "hash": digest(_KP, wire),
            "channel": wire[4:20],
            "user": wire[20:36],
            "device": wire[36:52],
            "sender": int.from_bytes(wire[52:54], "big"),
            "not_after_ms": int.from_bytes(wire[54:62], "big"),
            "uik": wire[62:94],
            "dk": wire[94:126],
            "created_ms": int.from_bytes(wire[126:134], "big"),
            "certificate": wire[134:198],
            "leaf": wire[198:230],
            "grant": wire[230:294],
            "signature": wire[294:358],
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Admission:
    """What key packages are judged by: the channel, the time, the auth service's public keys."""

    channel: bytes
    now_ms: int
    grant_keys: Sequence[bytes]


def build(identity: DeviceIdentity, grant: bytes, sender: int, leaf: bytes) -> KeyPackage:
    """Make the key package of *identity* for one join.

    *grant* is the signed grant of 184 bytes for this identity, *sender* the index that the
    delivery service assigned, *leaf* a fresh X25519 public key.
    """
    body = b"".join(
        (
            bytes((VERSION, SUITE, 0, 0)),
            grant[0:16],
            identity.user,
            identity.device,
            sender.to_bytes(2, "big"),
            grant[112:120],
            identity.uik,
            identity.dk,
            identity.created_ms.to_bytes(8, "big"),
            identity.certificate,
            leaf,
            grant[120:],
        )
    )
    return parse(body + identity.sign(_SIG_KP, body))


def parse(wire: bytes) -> KeyPackage:
    """Read a key package without judging its signatures.

    Raises ``Rejected`` with `kp_size`, `kp_version`, `kp_suite` or `kp_flags`.
    """
    if len(wire) != KEY_PACKAGE_LENGTH:
        raise Rejected("kp_size", f"A key package has {KEY_PACKAGE_LENGTH} bytes.")
    if wire[0] != VERSION:
        raise Rejected("kp_version", f"Key package version {wire[0]} is not known here.")
    if wire[1] != SUITE:
        raise Rejected("kp_suite", f"Cipher suite {wire[1]} is not known here.")
    if wire[2:4] != b"\0\0":
        raise Rejected("kp_flags", "A key package of version 1 has no flags.")
    return KeyPackage(bytes(wire))


def validate(package: KeyPackage, admission: Admission) -> None:
    """Check a parsed key package against section 2.2 of VX1, cheapest first.

    Raises ``Rejected`` with `kp_channel`, `kp_expired`, `kp_leaf`, `kp_certificate`, `kp_grant` or
    `kp_signature`.
    """
    if package.channel != admission.channel:
        raise Rejected("kp_channel", "The key package is for another channel.")
    if package.not_after_ms + EXPIRY_LENIENCE_MS <= admission.now_ms:
        raise Rejected("kp_expired", "The key package's grant has expired.")
    _check_leaf(package.leaf)
    if not device_certificate_holds(
        package.user,
        package.device,
        (package.uik, package.dk),
        package.created_ms,
        package.certificate,
    ):
        raise Rejected("kp_certificate", "The user's key does not vouch for this device key.")
    claims = Grant(
        package.channel,
        package.user,
        package.device,
        package.uik,
        package.dk,
        package.not_after_ms,
    )
    if not grant_holds(claims, package.grant, admission.grant_keys):
        raise Rejected("kp_grant", "The auth service did not grant this device the channel.")
    signed = package.wire[:_SIGNED_LENGTH]
    if not signature_holds(package.dk, _SIG_KP, signed, package.signature):
        raise Rejected("kp_signature", "The device did not sign this key package.")


def _check_leaf(leaf: bytes) -> None:
    try:
        agree(_PROBE_SCALAR, leaf)
    except Rejected:
        raise Rejected("kp_leaf", "The leaf key is of low order.") from None
