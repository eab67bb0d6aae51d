"""Identity keys and pins at rest: the content of one sealed file, in and out.

Sealed with a key of 32 bytes, which the operating system's keyring keeps, or with a passphrase
through Argon2id (RFC 9106). Never in the clear, and never with a weaker fallback. Where the file
lies is the caller's business.

    "vx1v" version1 kind1 salt16 nonce24 ciphertext+tag checksum16

The checksum is no protection, it only tells a damaged file from a wrong key.
"""

import struct
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from nacl import bindings, exceptions, pwhash

from sidetone.e2ee.identity import DeviceIdentity, RandomBytes
from sidetone.e2ee.primitives import KEY_LENGTH, TAG_LENGTH, derive, label
from sidetone.e2ee.rejected import Rejected
from sidetone.e2ee.trust import Pin

PASSPHRASE_MEMORY_BYTES: Final = 64 * 2**20
PASSPHRASE_PASSES: Final = 3
PINS_MAX: Final = 100_000

_MAGIC: Final = b"vx1v\x01"
_BY_KEY: Final = b"\x00"
_BY_PASSPHRASE: Final = b"\x01"
_SALT_LENGTH: Final = 16
_NONCE_LENGTH: Final = 24
_CHECKSUM_LENGTH: Final = 16
_HEAD_LENGTH: Final = len(_MAGIC) + 1 + _SALT_LENGTH
_LENGTH_MIN: Final = _HEAD_LENGTH + _NONCE_LENGTH + TAG_LENGTH
_VAULT: Final = label("vx1 vault")
_IDENTITY: Final = struct.Struct(">16s16s32s32sQI")
_PIN: Final = struct.Struct(">16s32s?")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a vault holds: one device's identity, and the pins of those whom it met.

    The certificate is not stored, as the keys give it again: Ed25519 is deterministic.
    """

    identity: DeviceIdentity
    pins: tuple[Pin, ...] = ()


def seal_with_key(contents: Contents, key: bytes, random: RandomBytes) -> bytes:
    """Seal under a random *key* of 32 bytes."""
    salt = random(_SALT_LENGTH)
    return _seal(contents, _BY_KEY + salt, _key_from_key(key, salt), random)


def open_with_key(vault: bytes, key: bytes) -> Contents:
    """Open what `seal_with_key` sealed.

    Raises ``Rejected`` with `vault_corrupt`, `vault_kind` or `vault_wrong_key`.
    """
    salt = _salt_of(vault, _BY_KEY)
    contents = _open(vault, _key_from_key(key, salt))
    if contents is None:
        raise Rejected("vault_wrong_key", "The vault was sealed with another key.")
    return contents


def seal_with_passphrase(contents: Contents, passphrase: str, random: RandomBytes) -> bytes:
    """Seal under a passphrase: 64 MiB and three passes, a fraction of a second."""
    salt = random(_SALT_LENGTH)
    key = _key_from_passphrase(passphrase, salt)
    return _seal(contents, _BY_PASSPHRASE + salt, key, random)


def open_with_passphrase(vault: bytes, passphrase: str) -> Contents:
    """Open what `seal_with_passphrase` sealed.

    Raises ``Rejected`` with `vault_corrupt`, `vault_kind` or `vault_wrong_passphrase`.
    """
    salt = _salt_of(vault, _BY_PASSPHRASE)
    contents = _open(vault, _key_from_passphrase(passphrase, salt))
    if contents is None:
        raise Rejected("vault_wrong_passphrase", "The passphrase does not open the vault.")
    return contents


def _key_from_key(key: bytes, salt: bytes) -> bytes:
    if len(key) != KEY_LENGTH:
        raise Rejected("vault_wrong_key", f"A vault key has {KEY_LENGTH} bytes.")
    return derive(key, _VAULT, salt)


def _key_from_passphrase(passphrase: str, salt: bytes) -> bytes:
    return pwhash.argon2id.kdf(
        KEY_LENGTH,
        passphrase.encode("utf-8", "surrogatepass"),
        salt,
        opslimit=PASSPHRASE_PASSES,
        memlimit=PASSPHRASE_MEMORY_BYTES,
    )


def _seal(contents: Contents, kind_and_salt: bytes, key: bytes, random: RandomBytes) -> bytes:
    if len(contents.pins) > PINS_MAX:
        raise Rejected("vault_full", f"A vault holds {PINS_MAX} pins at most.")
    head = _MAGIC + kind_and_salt
    nonce = random(_NONCE_LENGTH)
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(_pack(contents), head, nonce, key)
    body = head + nonce + sealed
    return body + _checksum(body)


def _salt_of(vault: bytes, kind: bytes) -> bytes:
    body, checksum = vault[:-_CHECKSUM_LENGTH], vault[-_CHECKSUM_LENGTH:]
    whole = len(body) >= _LENGTH_MIN and body.startswith(_MAGIC)
    if not whole or _checksum(body) != checksum:
        raise Rejected("vault_corrupt", "The vault is damaged, cut off, or not a vault.")
    if body[len(_MAGIC) : len(_MAGIC) + 1] != kind:
        raise Rejected("vault_kind", "The vault is sealed in another way: by key or passphrase.")
    return body[_HEAD_LENGTH - _SALT_LENGTH : _HEAD_LENGTH]


def _open(vault: bytes, key: bytes) -> Contents | None:
    nonce_end = _HEAD_LENGTH + _NONCE_LENGTH
    try:
        packed = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            vault[nonce_end:-_CHECKSUM_LENGTH],
            vault[:_HEAD_LENGTH],
            vault[_HEAD_LENGTH:nonce_end],
            key,
        )
    except exceptions.CryptoError:
        return None
    return _unpack(packed)


def _pack(contents: Contents) -> bytes:
    identity = contents.identity
    head = _IDENTITY.pack(
        identity.user,
        identity.device,
        identity.user_seed,
        identity.device_seed,
        identity.created_ms,
        len(contents.pins),
    )
    return head + b"".join(_PIN.pack(pin.user, pin.uik, pin.verified) for pin in contents.pins)


def _unpack(packed: bytes) -> Contents:
    pins = packed[_IDENTITY.size :]
    if len(packed) < _IDENTITY.size or len(pins) % _PIN.size:
        raise Rejected("vault_corrupt", "The vault opens, but what it holds is cut off.")
    *identity, count = _IDENTITY.unpack_from(packed)
    if count * _PIN.size != len(pins):
        raise Rejected("vault_corrupt", "The vault opens, but pins are missing.")
    return Contents(DeviceIdentity(*identity), tuple(Pin(*row) for row in _PIN.iter_unpack(pins)))


def _checksum(body: bytes) -> bytes:
    return blake2b(body, digest_size=_CHECKSUM_LENGTH).digest()
