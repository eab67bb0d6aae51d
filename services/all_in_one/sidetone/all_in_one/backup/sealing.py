r"""A stream of bytes that only a passphrase opens, and that tells where it was cut off or changed.

libsodium's secretstream (XChaCha20-Poly1305) under a key by Argon2id (RFC 9106):

    "SIDETONE-SEALED-1\n" salt16 header24 (64 KiB + 17)* the last one marked as such
"""

import os
from io import RawIOBase
from typing import BinaryIO, Final

from nacl import bindings, exceptions, pwhash
from typing_extensions import Buffer, override

MAGIC: Final = b"SIDETONE-SEALED-1\n"

_MEMORY_BYTES: Final = 256 * 2**20
_PASSES: Final = 3
_SALT_LENGTH: Final = pwhash.argon2id.SALTBYTES
_KEY_LENGTH: Final = bindings.crypto_secretstream_xchacha20poly1305_KEYBYTES
_HEADER_LENGTH: Final = bindings.crypto_secretstream_xchacha20poly1305_HEADERBYTES
_PIECE: Final = 64 * 1024
_SEALED_PIECE: Final = _PIECE + bindings.crypto_secretstream_xchacha20poly1305_ABYTES
_MESSAGE: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
_FINAL: Final = bindings.crypto_secretstream_xchacha20poly1305_TAG_FINAL


class SealError(Exception):
    """The stream does not open: another passphrase, or it was changed or cut off."""


class Sealing(RawIOBase):
    """Seals what is written to it; without ``close`` the stream has no end and opens for nobody.

    The file underneath stays open.
    """

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        super().__init__()
        self._file = file
        self._waiting = bytearray()
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        salt = os.urandom(_SALT_LENGTH)
        header = bindings.crypto_secretstream_xchacha20poly1305_init_push(
            self._state, _key(passphrase, salt)
        )
        file.write(MAGIC + salt + header)

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Buffer, /) -> int:
        self._waiting += data
        while len(self._waiting) > _PIECE:
            self._push(bytes(self._waiting[:_PIECE]), _MESSAGE)
            del self._waiting[:_PIECE]
        return len(memoryview(data))

    def finish(self) -> None:
        """Write what is left, marked as the end."""
        self._push(bytes(self._waiting), _FINAL)
        self._waiting.clear()

    def _push(self, piece: bytes, tag: int) -> None:
        sealed = bindings.crypto_secretstream_xchacha20poly1305_push(
            self._state, piece, ad=None, tag=tag
        )
        self._file.write(sealed)


class Opening(RawIOBase):
    """Reads what ``Sealing`` wrote, from behind its magic on. Raises ``SealError``."""

    def __init__(self, file: BinaryIO, passphrase: str) -> None:
        super().__init__()
        self._file = file
        self._open = b""
        self._is_over = False
        self._state = bindings.crypto_secretstream_xchacha20poly1305_state()
        salt, header = file.read(_SALT_LENGTH), file.read(_HEADER_LENGTH)
        if len(header) != _HEADER_LENGTH:
            raise SealError("it is cut off")
        bindings.crypto_secretstream_xchacha20poly1305_init_pull(
            self._state, header, _key(passphrase, salt)
        )
        self._pull()

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        if not self._open and not self._is_over:
            self._pull()
        view = memoryview(buffer)
        count = min(len(view), len(self._open))
        view[:count], self._open = self._open[:count], self._open[count:]
        return count

    def _pull(self) -> None:
        sealed = self._file.read(_SEALED_PIECE)
        if not sealed:
            raise SealError("it is cut off")
        try:
            self._open, tag = bindings.crypto_secretstream_xchacha20poly1305_pull(
                self._state, sealed
            )
        except exceptions.CryptoError:
            raise SealError("the passphrase is another one, or the file was changed") from None
        self._is_over = tag == _FINAL


def _key(passphrase: str, salt: bytes) -> bytes:
    return pwhash.argon2id.kdf(
        _KEY_LENGTH, passphrase.encode(), salt, opslimit=_PASSES, memlimit=_MEMORY_BYTES
    )
