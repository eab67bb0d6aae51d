"""The fast frame cipher: libsodium called from machine code.

The salt is constant for a key, so XChaCha20's first step, HChaCha20 (draft-irtf-cfrg-xchacha,
section 2.2), is done once per generation; each frame then costs one ChaCha20-Poly1305 of RFC 8439
under `0000 || header8`. Not one byte differs from `PlainFrameKey`, and where the known answers do
not come out on a machine, `FRAME_KEY` is that class.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sidetone.e2ee.aead import FrameKeyMaker, PlainFrameKey
from sidetone.e2ee.frames import HEADER_LENGTH
from sidetone.e2ee.primitives import TAG_LENGTH
from sidetone.e2ee.sodium import sodium_function
from sidetone.native import ENABLED, kernel

Bytes8: TypeAlias = NDArray[np.uint8]

# A key's state: the subkey of 32 bytes, then the nonce: 4 zeros and the 8 bytes of the header.
STATE_LENGTH: Final = 44
_NONCE_AT: Final = 32
_HEADER_AT: Final = 36
_ROUNDS: Final = 10
_BYTES: Final = "Bytes(uint8, 1, 'C', readonly=True)"

_seal = sodium_function("crypto_aead_chacha20poly1305_ietf_encrypt", "pppnpnppp")
_open = sodium_function("crypto_aead_chacha20poly1305_ietf_decrypt", "ppppnpnpp")


@kernel("void(uint32[::1], int64, int64, int64, int64)")
def quarter_round(x: NDArray[np.uint32], a: int, b: int, c: int, d: int) -> None:
    """Mix four of the sixteen words, as in RFC 8439, section 2.1."""
    for left, right in ((16, 12), (8, 7)):
        x[a] += x[b]
        x[d] ^= x[a]
        x[d] = x[d] << np.uint32(left) | x[d] >> np.uint32(32 - left)
        x[c] += x[d]
        x[b] ^= x[c]
        x[b] = x[b] << np.uint32(right) | x[b] >> np.uint32(32 - right)


@kernel("void(uint8[::1], uint8[::1], uint32[::1])")
def derive_subkey(key48: Bytes8, state: Bytes8, x: NDArray[np.uint32]) -> None:
    """Put HChaCha20 of a key of 32 bytes and a salt of 16 into the first 32 bytes of *state*.

    *x* is room for the 16 words that are mixed; it holds secrets afterwards.
    """
    x[0], x[1], x[2], x[3] = 0x61707865, 0x3320646E, 0x79622D32, 0x6B206574
    for word in range(12):
        value = np.uint32(0)
        for byte in range(4):
            value |= np.uint32(key48[4 * word + byte]) << np.uint32(8 * byte)
        x[4 + word] = value
    for _ in range(_ROUNDS):
        for column in range(4):
            quarter_round(x, column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            quarter_round(
                x,
                column,
                4 + (column + 1) % 4,
                8 + (column + 2) % 4,
                12 + (column + 3) % 4,
            )
    for word in range(8):
        value = x[word + 8 * (word // 4)]
        for byte in range(4):
            state[4 * word + byte] = value >> np.uint32(8 * byte) & np.uint32(255)


@kernel("boolean(uint8[::1], uint8[::1], int64)")
def seal_in_place(state: Bytes8, frame: Bytes8, length: int) -> bool:
    """Seal *frame*, 24 bytes longer than its plaintext of *length* bytes.

    Before: the header of 8 bytes, then the plaintext. After: header, ciphertext, tag.
    """
    for byte in range(HEADER_LENGTH):
        state[_HEADER_AT + byte] = frame[byte]
    text = frame.ctypes.data + HEADER_LENGTH
    key = state.ctypes.data
    return _seal(text, 0, text, length, key + _HEADER_AT, 8, 0, key + _NONCE_AT, key) == 0


@kernel("boolean(uint8[::1], uint8[::1], int64)")
def open_in_place(state: Bytes8, frame: Bytes8, length: int) -> bool:
    """Open a frame of *length* bytes, at least 24: its plaintext then follows the header.

    What is forged is wiped.
    """
    for byte in range(HEADER_LENGTH):
        state[_HEADER_AT + byte] = frame[byte]
    text = frame.ctypes.data + HEADER_LENGTH
    key = state.ctypes.data
    sealed = length - HEADER_LENGTH
    return _open(text, 0, 0, text, sealed, key + _HEADER_AT, 8, key + _NONCE_AT, key) == 0


@kernel(f"int64(uint8[::1], {_BYTES}, int64[::1])", release=True)
def count_opened_at(state: Bytes8, joined: bytes, ends: NDArray[np.int64]) -> int:
    """Count the frames of *joined* that open; *ends* are where each one ends, all >= 24 long."""
    opened = 0
    text = np.empty(len(joined), np.uint8)
    at = text.ctypes.data
    key = state.ctypes.data
    begin = 0
    for end in ends:
        for byte in range(8):
            state[_HEADER_AT + byte] = joined[begin + byte]
        length = end - begin - 8
        for byte in range(length):
            text[byte] = joined[begin + 8 + byte]
        if _open(at, 0, 0, at, length, key + _HEADER_AT, 8, key + _NONCE_AT, key) == 0:
            opened += 1
        begin = end
    return opened


class FastFrameKey:
    """The port `FrameKey` with HChaCha20's subkey kept.

    The state holds the nonce as well; the interpreter lock guards it, as kernels keep the lock.
    """

    def __init__(self, key48: bytes) -> None:
        self._state = np.zeros(STATE_LENGTH, np.uint8)
        derive_subkey(np.array(bytearray(key48)), self._state, np.zeros(16, np.uint32))

    def seal(self, header: bytes, plaintext: bytes) -> bytes:
        """Seal as the port says."""
        frame = np.array(bytearray(header + plaintext + bytes(TAG_LENGTH)))
        seal_in_place(self._state, frame, len(plaintext))
        return frame.tobytes()

    def open(self, frame: bytes) -> bytes | None:
        """Open as the port says."""
        text = np.array(bytearray(frame))
        if not open_in_place(self._state, text, len(frame)):
            return None
        return text[HEADER_LENGTH:-TAG_LENGTH].tobytes()

    def count_opened(self, frames: Sequence[bytes]) -> int:
        """Count as the port says, at about a microsecond each, without the interpreter lock."""
        ends = np.cumsum([len(frame) for frame in frames], dtype=np.int64)
        return count_opened_at(self._state.copy(), b"".join(frames), ends)


def known_answers_hold() -> bool:
    """Compare with the plain cipher, on frames of several lengths and one that is forged."""
    key48 = bytes(range(48))
    fast, plain = FastFrameKey(key48), PlainFrameKey(key48)
    for length in (0, 1, 64, 160, 1000):
        header = length.to_bytes(8, "big")
        frame = plain.seal(header, bytes(length))
        forged = frame[:-1] + bytes((frame[-1] ^ 1,))
        same = fast.seal(header, bytes(length)) == frame and fast.open(frame) == bytes(length)
        if not same or fast.open(forged) is not None:
            return False
    return True


FRAME_KEY: Final[FrameKeyMaker] = (
    FastFrameKey if ENABLED and known_answers_hold() else PlainFrameKey
)
