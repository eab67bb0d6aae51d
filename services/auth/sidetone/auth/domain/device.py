"""Devices: the keys by which a user's calls are recognised, certified by the user's own key."""

import msgspec

from sidetone.e2ee.identity import device_certificate_holds
from sidetone.protocol.ids import DeviceId, UserId
from sidetone.protocol.refusals import Invalid

DEVICES_PER_ACCOUNT_MAX = 100
GRANT_LIFETIME_MS = 2 * 3_600_000

_KEY_BYTES = 32
_CERTIFICATE_BYTES = 64
_CLOCK_SKEW_MS_MAX = 24 * 3_600_000


class Device(msgspec.Struct, frozen=True):
    """A device of a user: VX1's UIK and DK, and the certificate that joins them."""

    id: DeviceId
    user: UserId
    identity_key: bytes
    device_key: bytes
    created_at_ms: int
    certificate: bytes

    def require_certified(self, now_ms: int) -> None:
        """Raise ``Invalid`` unless the user's identity key vouches for this very device.

        The server keeps nothing that a client would have to refuse later.
        """
        if not 0 <= self.created_at_ms <= now_ms + _CLOCK_SKEW_MS_MAX:
            raise Invalid(
                "device_date_invalid", "the device was made in the future; set its clock"
            )
        if (
            len(self.identity_key) != _KEY_BYTES
            or len(self.device_key) != _KEY_BYTES
            or len(self.certificate) != _CERTIFICATE_BYTES
            or not device_certificate_holds(
                self.user.bytes,
                self.id.bytes,
                (self.identity_key, self.device_key),
                self.created_at_ms,
                self.certificate,
            )
        ):
            raise Invalid(
                "device_certificate_invalid",
                "the identity key did not sign this device for this user; make a new certificate",
            )
