"""The cryptographic functions that VX1 is made of, under their labels.

The only module besides `aead`, `fast_aead` and `vault` that names a cryptographic library. It
refuses bad signatures, keys and ciphertexts with ``Rejected``.
"""

from hashlib import blake2b
from typing import Final

from nacl import bindings, exceptions

from sidetone.e2ee.rejected import Rejected

KEY_LENGTH: Final = 32
SIGNATURE_LENGTH: Final = 64
TAG_LENGTH: Final = 16
ZERO_KEY: Final = bytes(KEY_LENGTH)
_NONCE_ZERO: Final = bytes(bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
_LABEL_LENGTH: Final = 16


def label(name: str) -> bytes:
    """Pad an ASCII label with zeros to the 16 bytes of a BLAKE2b personalisation."""
    return name.encode("ascii").ljust(_LABEL_LENGTH, b"\0")


def derive(key: bytes, person: bytes, data: bytes = b"", length: int = KEY_LENGTH) -> bytes:
    """Derive *length* bytes from *key*: VX1's KDF, keyed BLAKE2b (RFC 7693) under a label."""
    return blake2b(data, key=key, person=person, digest_size=length).digest()


def digest(person: bytes, data: bytes) -> bytes:
    """Hash *data* to 32 bytes under a label: VX1's H."""
    return blake2b(data, person=person, digest_size=32).digest()


def signing_key(seed: bytes) -> tuple[bytes, bytes]:
    """Expand a 32-byte Ed25519 seed (RFC 8032) into the public key and the 64-byte signing key."""
    return bindings.crypto_sign_seed_keypair(seed)


def sign(secret: bytes, person: bytes, data: bytes) -> bytes:
    """Sign a label and *data* with a 64-byte signing key; only the 64-byte signature returns."""
    return bindings.crypto_sign(person + data, secret)[:SIGNATURE_LENGTH]


def signature_holds(public: bytes, person: bytes, data: bytes, signature: bytes) -> bool:
    """Tell whether *signature* over a label and *data* is by *public*.

    libsodium refuses non-canonical signatures and keys of small order.
    """
    try:
        bindings.crypto_sign_open(signature + person + data, public)
    except (exceptions.BadSignatureError, exceptions.ValueError):
        return False
    return True


def leaf_public(secret: bytes) -> bytes:
    """Compute the X25519 (RFC 7748) public key of a 32-byte secret."""
    return bindings.crypto_scalarmult_base(secret)


def agree(secret: bytes, public: bytes) -> bytes:
    """Compute the X25519 shared secret of 32 bytes.

    Raises ``Rejected`` when it is all zero, that is when *public* is of low order.
    """
    try:
        return bindings.crypto_scalarmult(secret, public)
    except exceptions.RuntimeError:
        raise Rejected(
            "low_order", "The key agreement gave zero: the key is of low order."
        ) from None


def seal_once(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Seal with XChaCha20-Poly1305 under a key that seals nothing else, hence a nonce of zeros."""
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext, associated, _NONCE_ZERO, key
    )


def open_once(key: bytes, ciphertext: bytes, associated: bytes) -> bytes | None:
    """Open what `seal_once` sealed; None when the key, the text or *associated* differ."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            ciphertext, associated, _NONCE_ZERO, key
        )
    except exceptions.CryptoError:
        return None
