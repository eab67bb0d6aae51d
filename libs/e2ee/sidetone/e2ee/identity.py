"""Who a member is: a user key, device keys certified by it, and numbers to compare by voice.

Keys come from seeds that the caller draws; nothing here is written anywhere (`vault` seals it).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final

from sidetone.e2ee.primitives import label, sign, signature_holds, signing_key
from sidetone.e2ee.schedule import digit_groups

RandomBytes = Callable[[int], bytes]

SEED_LENGTH: Final = 32
ID_LENGTH: Final = 16
_DEVICE: Final = label("vx1 sig device")
_SAFETY: Final = label("vx1 safety")
_SAFETY_GROUPS: Final = 12


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    """One user's one device: both signing keys, and the user's certificate for the device.

    The seeds are secrets and stay out of `repr`.
    """

    user: bytes
    device: bytes
    user_seed: bytes = field(repr=False)
    device_seed: bytes = field(repr=False)
    created_ms: int
    uik: bytes = field(init=False)
    dk: bytes = field(init=False)
    certificate: bytes = field(init=False)
    _device_secret: bytes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        uik, user_secret = signing_key(self.user_seed)
        dk, device_secret = signing_key(self.device_seed)
        statement = _device_statement(self.user, self.device, dk, self.created_ms)
        object.__setattr__(self, "uik", uik)
        object.__setattr__(self, "dk", dk)
        object.__setattr__(self, "certificate", sign(user_secret, _DEVICE, statement))
        object.__setattr__(self, "_device_secret", device_secret)

    def sign(self, person: bytes, data: bytes) -> bytes:
        """Sign with the device key, under a 16-byte label."""
        return sign(self._device_secret, person, data)


def create_identity(
    user: bytes, device: bytes, created_ms: int, random: RandomBytes
) -> DeviceIdentity:
    """Make the identity of a user's first device."""
    return DeviceIdentity(user, device, random(SEED_LENGTH), random(SEED_LENGTH), created_ms)


def link_device(
    identity: DeviceIdentity, device: bytes, created_ms: int, random: RandomBytes
) -> DeviceIdentity:
    """Make the identity of a further *device* of the same user: same user key, own device key."""
    return DeviceIdentity(
        identity.user, device, identity.user_seed, random(SEED_LENGTH), created_ms
    )


def device_certificate_holds(
    user: bytes, device: bytes, keys: tuple[bytes, bytes], created_ms: int, certificate: bytes
) -> bool:
    """Tell whether *certificate* says that the user's key vouches for the device's.

    *keys* are the user's and the device's public keys, in this order.
    """
    uik, dk = keys
    statement = _device_statement(user, device, dk, created_ms)
    return signature_holds(uik, _DEVICE, statement, certificate)


def safety_number(user_a: bytes, uik_a: bytes, user_b: bytes, uik_b: bytes) -> str:
    """Show 60 digits that two users compare once: equal exactly when each has the other's key."""
    data = b"".join(sorted((user_a + uik_a, user_b + uik_b)))
    return digit_groups(blake2b(data, person=_SAFETY).digest(), _SAFETY_GROUPS)


def _device_statement(user: bytes, device: bytes, dk: bytes, created_ms: int) -> bytes:
    return user + device + dk + created_ms.to_bytes(8, "big")
