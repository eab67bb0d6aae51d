"""Identity keys and pins at rest: the content of one sealed file, in and out.

Sealed with a key of 32 bytes, which the operating system's keyring keeps, or with a passphrase
through Argon2id (RFC 9106). Never in the clear, and never with a weaker fallback. Where the file
lies is the caller's business.

    "vx1v" version1 kind1 salt16 nonce24 ciphertext+tag checksum16

The checksum is no protection, it only tells a damaged file from a wrong key.
"""

import struct
from dataclasses import dataclass, field
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
SALT_LENGTH: Final = 16
_NONCE_LENGTH: Final = 24
_CHECKSUM_LENGTH: Final = 16
_HEAD_LENGTH: Final = len(_MAGIC) + 1 + SALT_LENGTH
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


@dataclass(frozen=True, slots=True)
class Lock:
    """A key that was derived once and seals and opens the vaults of one kind and salt.

    A passphrase costs 64 MiB and three passes; saving a vault again and again, under a fresh nonce
    each time, must not cost that each time.
    """

    kind: bytes
    salt: bytes
    key: bytes = field(repr=False)


def lock_by_key(key: bytes, salt: bytes) -> Lock:
    """Make the lock of a random *key* of 32 bytes. Raises ``Rejected`` with `vault_wrong_key`."""
    if len(key) != KEY_LENGTH:
        raise Rejected("vault_wrong_key", f"A vault key has {KEY_LENGTH} bytes.")
    return Lock(_BY_KEY, salt, derive(key, _VAULT, salt))


def lock_by_passphrase(passphrase: str, salt: bytes) -> Lock:
    """Make the lock of a passphrase: a fraction of a second by design."""
    key = pwhash.argon2id.kdf(
        KEY_LENGTH,
        passphrase.encode("utf-8", "surrogatepass"),
        salt,
        opslimit=PASSPHRASE_PASSES,
        memlimit=PASSPHRASE_MEMORY_BYTES,
    )
    return Lock(_BY_PASSPHRASE, salt, key)


def salt_of(vault: bytes) -> bytes:
    """Return the salt that the lock of *vault* is made with. Raises `vault_corrupt`."""
    body, checksum = vault[:-_CHECKSUM_LENGTH], vault[-_CHECKSUM_LENGTH:]
    whole = len(body) >= _LENGTH_MIN and body.startswith(_MAGIC)
    if not whole or _checksum(body) != checksum:
        raise Rejected("vault_corrupt", "The vault is damaged, cut off, or not a vault.")
    return body[_HEAD_LENGTH - SALT_LENGTH : _HEAD_LENGTH]


def seal(contents: Contents, lock: Lock, random: RandomBytes) -> bytes:
    """Seal *contents* under *lock*. Raises ``Rejected`` with `vault_full`."""
    if len(contents.pins) > PINS_MAX:
        raise Rejected("vault_full", f"A vault holds {PINS_MAX} pins at most.")
    head = _MAGIC + lock.kind + lock.salt
    nonce = random(_NONCE_LENGTH)
    packed = _pack(contents)
    sealed = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(packed, head, nonce, lock.key)
    body = head + nonce + sealed
    return body + _checksum(body)


def unseal(vault: bytes, lock: Lock) -> Contents:
    """Open what `seal` sealed.

    Raises ``Rejected`` with `vault_corrupt`, `vault_kind`, `vault_wrong_key` or
    `vault_wrong_passphrase`.
    """
    salt_of(vault)
    if vault[len(_MAGIC) : len(_MAGIC) + 1] != lock.kind:
        raise Rejected("vault_kind", "The vault is sealed in another way: by key or passphrase.")
    nonce_end = _HEAD_LENGTH + _NONCE_LENGTH
    try:
        packed = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            vault[nonce_end:-_CHECKSUM_LENGTH],
            vault[:_HEAD_LENGTH],
            vault[_HEAD_LENGTH:nonce_end],
            lock.key,
        )
    except exceptions.CryptoError:
        raise _wrong(lock.kind) from None
    return _unpack(packed)


def _wrong(kind: bytes) -> Rejected:
    if kind == _BY_KEY:
        return Rejected("vault_wrong_key", "The vault was sealed with another key.")
    return Rejected("vault_wrong_passphrase", "The passphrase does not open the vault.")


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
