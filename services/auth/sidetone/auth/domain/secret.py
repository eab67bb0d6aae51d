"""Secrets that travel as text, and that the server keeps only the hash of."""

import base64
import hashlib

SECRET_BYTES = 32


def secret_text(secret: bytes) -> str:
    """Return *secret* as it travels: base64url without padding.

    >>> secret_text(bytes(32))
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def secret_sha256(text: str) -> bytes:
    """Return by what a secret is found; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
