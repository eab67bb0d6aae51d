"""The seam between frames and ciphers: one generation's key seals and opens whole frames.

`PlainFrameKey` is the definition, in a few lines of PyNaCl; `fast_aead` computes the same bytes
faster. Neither knows of counters or replay (`media`).
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

from nacl import bindings, exceptions

from sidetone.e2ee.frames import HEADER_LENGTH
from sidetone.e2ee.primitives import KEY_LENGTH


class FrameKey(Protocol):
    """One generation's key of one sender and kind."""

    def seal(self, header: bytes, plaintext: bytes) -> bytes:
        """Seal *plaintext* to a frame: the header, the ciphertext, a tag of 16 bytes.

        The header holds the counter, so a header must never come twice.
        """
        ...

    def open(self, frame: bytes) -> bytes | None:
        """Open a frame of at least 24 bytes; None when any bit of it is not as it was sealed."""
        ...

    def count_opened(self, frames: Sequence[bytes]) -> int:
        """Count how many of *frames*, each of at least 24 bytes, open."""
        ...


FrameKeyMaker: TypeAlias = Callable[[bytes], FrameKey]


class PlainFrameKey:
    """XChaCha20-Poly1305 under `salt16 || header8`, with the header as associated data.

    *key48* is the key of 32 bytes and the salt of 16 that `schedule.frame_key` derives.
    """

    def __init__(self, key48: bytes) -> None:
        self._key = key48[:KEY_LENGTH]
        self._salt = key48[KEY_LENGTH:]

    def seal(self, header: bytes, plaintext: bytes) -> bytes:
        """Seal as the port says."""
        return header + bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
            plaintext, header, self._salt + header, self._key
        )

    def open(self, frame: bytes) -> bytes | None:
        """Open as the port says."""
        header = frame[:HEADER_LENGTH]
        try:
            return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                frame[HEADER_LENGTH:], header, self._salt + header, self._key
            )
        except exceptions.CryptoError:
            return None

    def count_opened(self, frames: Sequence[bytes]) -> int:
        """Count as the port says."""
        return sum(self.open(frame) is not None for frame in frames)
