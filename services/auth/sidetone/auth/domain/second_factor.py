"""Codes of an authenticator app (RFC 6238), and the recovery codes for who lost it."""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence

from pyotp.totp import TOTP

TOTP_SECRET_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10

_STEP_MS = 30_000
# A phone may be half a minute early or late (RFC 6238, section 5.2).
_STEPS_OFF_MAX = 1
_TOTP = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(r"[A-Z2-7]{16}")


def secret_base32(secret: bytes) -> str:
    """Return a secret as apps take it."""
    return base64.b32encode(secret).decode()


def app_uri(secret: bytes, name: str, issuer: str) -> str:
    """Return what a QR code for the app holds."""
    return TOTP(secret_base32(secret)).provisioning_uri(name=name, issuer_name=issuer)


def accepted_step(secret: bytes, code: str, last_step: int, now_ms: int) -> int | None:
    """Return the step that *code* is of, None if it is wrong, too old or was used.

    Only steps after *last_step*, the last one that was accepted, count: who looks over a shoulder
    is late (RFC 6238, section 5.2). All candidates are compared, and in constant time.
    """
    code = code.replace(" ", "")
    if _TOTP.fullmatch(code) is None:
        return None
    totp = TOTP(secret_base32(secret))
    present = now_ms // _STEP_MS
    found = None
    for step in range(present - _STEPS_OFF_MAX, present + _STEPS_OFF_MAX + 1):
        if hmac.compare_digest(totp.generate_otp(step), code) and step > last_step:
            found = step
    return found


def recovery_codes(random: bytes) -> Sequence[str]:
    """Return ``RECOVERY_CODES`` codes of 80 bits each, grouped for the eye.

    >>> recovery_codes(bytes(100))[0]
    'AAAA-AAAA-AAAA-AAAA'
    """
    if len(random) != RECOVERY_CODES * RECOVERY_CODE_BYTES:
        raise ValueError("ten bytes for each code")
    parts = [random[i : i + RECOVERY_CODE_BYTES] for i in range(0, len(random), 10)]
    texts = [base64.b32encode(part).decode() for part in parts]
    return ["-".join(text[i : i + 4] for i in range(0, 16, 4)) for text in texts]


def recovery_sha256(code: str) -> bytes | None:
    """Return by what a recovery code is found, None if *code* is none; spelling is forgiven."""
    plain = code.replace("-", "").replace(" ", "").upper()
    if _RECOVERY.fullmatch(plain) is None:
        return None
    return hashlib.sha256(plain.encode()).digest()
